//! What the demo of many banks says.

use crate::demo::narrative::{Sentence, sentences};

sentences! {
    TITLE: "{} banks, one question, one table. Their numbers are added up under masks: no bank's own numbers leave it in the clear.",
        "{} 家银行，一个问题，一张表。数字在掩码之下相加：没有一家银行自己的数字以明文离开本行。";
    DATA: "1. {} banks keep files of their business accounts, {} rows in all (seed {}): duplicates, gaps, phones written in many ways, and not everybody consented. {}'s begins:",
        "1. {} 家银行各有自己的企业账户文件，共 {} 行（随机种子 {}）：有重复、有空值，电话写法不一，也并非人人同意。{} 的文件开头：";
    PROCESSES: "2. {} processes, each with its own certificate, speak mTLS on loopback:",
        "2. {} 个进程，各有自己的证书，经本机回环以 mTLS 通信：";
    COORDINATOR: "the coordinator at {}: it adds up what it cannot read", "协调方在 {}：它把自己读不懂的数字相加";
    NODES: "the nodes of {}", "以下各行的节点：{}";
    LINKED: "{} links, each by one invite line. Both screens of every link showed the same four words, the first of them: {}",
        "{} 条互联，各用一行邀请码完成。每条互联的双方屏幕都显示同样的四个校验词，第一条是：{}";
    REGISTERED: "Each node registers its own file; the file stays where it is. What became of {}'s rows:",
        "各节点登记自己的文件，文件留在原处。{} 的数据行情况：";
    POLICY: "3. All {} publish the same policy, deny by default:", "3. 全部 {} 家发布同样的策略，默认拒绝：";
    ASK: "4. {} asks, and its node alone will open the sum:", "4. {} 提问，也只有它的节点能打开总和：";
    PREVIEW: "Before anybody approves, the page that says who learns what:", "批准之前，先看这一页：谁会知道什么：";
    APPROVED: "At all {} banks {} approved, each with a key of their own",
        "全部 {} 家银行的 {} 已各用自己的密钥批准";
    DONE: "The run: {} from all approvals to the result; {}'s node sent {} and received {}",
        "运行：从全部批准到得出结果 {}；{} 的节点发送 {}，接收 {}";
    ANSWER: "The answer, of {} of {} banks, read at {} alone. What each bank put in no other has learned:",
        "结果包含 {}/{} 家银行，只在 {} 可读。各行放进了多少，别的银行都不知道：";
    TOGETHER: "Some of these groups no bank could show alone: it has fewer than {} accounts in them. Together they have more.",
        "其中有的分组，任何一家银行单独都不能显示：各自少于 {} 个账户；合在一起才够。";
    SUPPRESSED: "Groups suppressed: {}, of fewer than {} accounts each. {}'s node leaves them out when it writes the table.",
        "被隐去的分组：{} 个，每个少于 {} 个账户。{} 的节点写表时将其略去。";
    RIGHT: "Checked against the same question asked in the clear of the files of these {} banks: every cell is right.",
        "与对这 {} 家银行的明文文件直接计算的结果核对：每一格都正确。";
    LOST: "7. The same question again, and {}'s node is killed in the middle of the round:",
        "7. 再问一次，而 {} 的节点在计算途中被强行终止：";
    MISSING: "{} of {} banks: the table has the numbers of the others, whole, and nothing of {}'s.",
        "{}/{} 家银行：表中是其余各行的完整数字，没有 {} 的任何数字。";
    LATE: "{} of {} banks: {}'s numbers had left under their mask before it was lost, so they are in the table.",
        "{}/{} 家银行：{} 的数字在其节点终止前已带着掩码发出，因此仍在表中。";
    BACK: "{}'s node starts again and takes part.", "{} 的节点重新启动，再次参加。";
    ALL_NEEDED: "7. Of three banks none may be missing, because the numbers of fewer than three are never added up: were a node lost, there would be no table. `entente demo --parties 5` loses one on the way.",
        "7. 只有三家银行时一家也不能少，因为少于三家的数字从不相加：若失去一个节点，就没有结果。`entente demo --parties 5` 会在途中失去一家。";
    NOISE: "8. The same question with noise: each bank adds a share before its numbers leave. `epsilon: 1.0` bounds what the table can tell about any one account, and each number comes with its standard error.",
        "8. 同一个问题加上噪声：各行在数字发出之前加上自己的一份。`epsilon: 1.0` 限定了这张表最多能透露任何一个账户的多少信息，每个数都附有标准误。";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_places_for_values() {
        for (name, sentence) in ALL {
            assert!(sentence.has_same_places(), "{name}");
        }
    }
}

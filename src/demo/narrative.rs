//! What the demo says, in the languages it speaks. `{}` stands for a value, in the same order in every language.

use clap::ValueEnum;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// One sentence in every language.
pub(super) struct Sentence {
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
}

impl Sentence {
    /// The sentence with its values.
    pub(super) fn say(&self, language: Language, values: &[&dyn std::fmt::Display]) -> String {
        let text = match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        };
        let mut parts = text.split("{}");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            out.push_str(&value.to_string());
            out.push_str(part);
        }
        out
    }

    /// Whether every language has as many places for values.
    #[cfg(test)]
    pub(super) fn has_same_places(&self) -> bool {
        let places = |text: &str| text.matches("{}").count();
        places(self.en) == places(self.zh)
    }
}

macro_rules! sentences {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        $(pub(super) const $name: Sentence = Sentence { en: $en, zh: $zh };)*
        #[cfg(test)]
        const ALL: &[(&str, &Sentence)] = &[$((stringify!($name), &$name)),*];
    };
}
pub(super) use sentences;

sentences! {
    TITLE: "Two organisations, one question, one table. No row, id or number leaves the organisation that owns it.",
        "两家机构，一个问题，一张表。任何一行数据、任何标识、任何中间值都不离开其所属机构。";
    DATA: "1. {} keeps {} rows of its customers, {} keeps {} rows of its users (seed {}). The same person is written in many ways:",
        "1. {} 有 {} 行客户数据，{} 有 {} 行用户数据（随机种子 {}）。同一个人有多种写法：";
    PROCESSES: "2. Three processes, each with its own certificate, speak mTLS on loopback:",
        "2. 三个进程，各有自己的证书，经本机回环以 mTLS 通信：";
    COORDINATOR: "the coordinator at {}, blind: it links no protocol code",
        "协调方在 {}：它看不见数据，也不含任何协议代码";
    NODE: "{}'s node at {}", "{} 的节点在 {}";
    LINKED: "3. One invite line links them. Both operators read the same four words: {}",
        "3. 一行邀请码完成互联。双方看到同样的四个校验词：{}";
    WORDS_DIFFER: "the check words differ", "校验词不一致";
    REGISTERED: "4. Each node registers its own file; the file stays where it is. What became of {}'s rows:",
        "4. 各节点登记自己的文件，文件留在原处。{} 的数据行情况：";
    POLICIES: "5. Each publishes a policy, deny by default. {} says:",
        "5. 双方发布策略，默认拒绝。{} 的策略：";
    ASK: "6. {} asks:", "6. {} 提问：";
    PREVIEW: "7. Before anybody approves, the page that says who learns what:",
        "7. 批准之前，先看这一页：谁会知道什么：";
    APPROVED: "8. {}: {} approved, each with a key of their own", "8. {}：{} 已各用自己的密钥批准";
    DONE: "9. The run: {} from all approvals to the result; {} sent, {} received",
        "9. 运行：从全部批准到得出结果 {}；发送 {}，接收 {}";
    ANSWER: "The answer, read at {} alone. Which customers stand behind it neither node has learned:",
        "结果，只在 {} 可读。其中是哪些客户，两个节点都不知道：";
    SUPPRESSED: "Groups suppressed: {}, of fewer than {} people each. Their numbers were opened to nobody.",
        "被隐去的分组：{} 个，每个少于 {} 人。其数字未向任何人公开。";
    RIGHT: "Checked against the same question asked in the clear of both files: every cell is right.",
        "与对两份明文文件直接计算的结果核对：每一格都正确。";
    NOISE: "The same question with noise: `epsilon: 1.0` bounds what the table can tell about any one person, and each number comes with its standard error.",
        "同一个问题加上噪声：`epsilon: 1.0` 限定了这张表最多能透露任何一个人的多少信息，每个数都附有标准误。";
    LIKELY: "Checked against the truth: no number is further off than noise of {} standard errors explains. Chance alone exceeds that in fewer than one of 10^9 runs.",
        "与真实结果核对：没有一个数的偏差超过 {} 个标准误的噪声所能解释的范围；仅凭偶然超出的概率低于十亿分之一。";
    SECOND: "Another question, by e-mail this time: how many customers do both serve? {} learns one number, and nobody learns which customers.",
        "另一个问题，这次按邮箱匹配：双方共同的客户有多少？{} 只得到一个数，没有人知道是哪些客户。";
    NEXT: "Next:", "接下来可以输入：";
    NEXT_KEEP: "this again, with homes, logs and files to look at", "再来一次，并保留目录、日志和文件供查看";
    NEXT_NETWORK: "five banks add up their numbers", "五家银行把数字相加";
    NEXT_TWO: "two organisations match their customers", "两家机构匹配各自的客户";
    NEXT_LAB: "a question of your own over files of your own", "用自己的文件问自己的问题";
    NEXT_INIT: "a node of your own; README.md goes on from there", "建立自己的节点；后续见 README.md";
    KEPT: "Everything is in {}.", "全部内容保存在 {}。";
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

    #[test]
    fn values_stand_in_order() {
        let text = NODE.say(Language::En, &[&"a", &"b"]);
        assert_eq!(text, "a's node at b");
    }
}

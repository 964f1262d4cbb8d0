//! One node's stream to and from the coordinator in one round, with its deadlines and its bytes counted.

use super::limits::{AHEAD_MAX, Limits};
use crate::config::CoordinatorAddress;
use entente_certs::{COORDINATOR, ConnectError, Expected, TlsParty, connect};
use entente_wire::limits::{ROUND_WORDS_BYTES, RPC_MESSAGE_BYTES_MAX};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::coordinator::v1::coordinator_client::CoordinatorClient;
use entente_wire::rpc::coordinator::v1::{
    RoundDown, RoundJoin, RoundUp, round_down::Step as Down, round_up::Step as Up,
};
use prost::Message;
use std::pin::pin;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// A stream to the coordinator.
pub(super) struct Line {
    own: OrgName,
    up: mpsc::Sender<RoundUp>,
    down: Streaming<RoundDown>,
    limits: Limits,
    sent_bytes: u64,
    received_bytes: u64,
}

impl Line {
    /// Connects, proves the coordinator's pinned root, and opens the call with this node's wish to join.
    pub(super) async fn open(
        own: &OrgName,
        (address, party): (&CoordinatorAddress, &TlsParty),
        limits: &Limits,
        join: RoundJoin,
    ) -> Result<Self, Problem> {
        let expected = Expected {
            org: COORDINATOR.to_owned(),
            root: address.root,
        };
        let channel = connect(party, address.address.as_str(), &expected, limits.connect)
            .await
            .map_err(|error| unreached(&error))?;
        let mut client = CoordinatorClient::new(channel)
            .max_decoding_message_size(RPC_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(RPC_MESSAGE_BYTES_MAX);
        let (up, messages) = mpsc::channel(AHEAD_MAX);
        let join = RoundUp {
            step: Some(Up::Join(join)),
        };
        let sent_bytes = join.encoded_len() as u64;
        // The coordinator answers the call once it has read this.
        up.try_send(join).map_err(|_| hung_up())?;
        let call = client.round(ReceiverStream::new(messages));
        let answered = timeout(limits.call, call).await.map_err(|_| silent())?;
        let down = answered
            .map_err(|status| super::blame::refusal(&status, own))?
            .into_inner();
        Ok(Self {
            own: own.clone(),
            up,
            down,
            limits: limits.clone(),
            sent_bytes,
            received_bytes: 0,
        })
    }

    pub(super) async fn step(&mut self, step: Up) -> Result<(), Problem> {
        self.send(RoundUp { step: Some(step) }).await
    }

    pub(super) async fn send(&mut self, message: RoundUp) -> Result<(), Problem> {
        self.sent_bytes += message.encoded_len() as u64;
        match timeout(self.limits.silence, self.up.send(message)).await {
            Ok(Ok(())) => Ok(()),
            // The call has ended; what it ended with stands in the answers.
            Ok(Err(_)) => Err(self.ended().await),
            Err(_) => Err(silent()),
        }
    }

    /// A vector, in pieces. The coordinator reads a few members' at a time, so this one may have to wait for its turn: for as long as signs of
    /// life come.
    pub(super) async fn words(&mut self, words: &[u64]) -> Result<(), Problem> {
        for piece in words.chunks(ROUND_WORDS_BYTES / 8) {
            let bytes = piece.iter().flat_map(|word| word.to_le_bytes()).collect();
            let message = RoundUp {
                step: Some(Up::Words(bytes)),
            };
            self.sent_bytes += message.encoded_len() as u64;
            let up = self.up.clone();
            let mut sent = pin!(up.send(message));
            loop {
                tokio::select! {
                    sent = &mut sent => match sent {
                        Ok(()) => break,
                        Err(_) => return Err(self.ended().await),
                    },
                    message = self.message() => match message?.step {
                        None | Some(Down::Heartbeat(_)) => {}
                        Some(Down::End(end)) => return Err(super::blame::reason(&end.problem, &self.own)),
                        Some(_) => return Err(too_early()),
                    },
                }
            }
        }
        Ok(())
    }

    /// The coordinator's next message that is more than a sign of life. Can be cancelled between messages without losing one.
    pub(super) async fn next(&mut self) -> Result<Down, Problem> {
        loop {
            match self.message().await?.step {
                None | Some(Down::Heartbeat(_)) => {}
                Some(step) => return Ok(step),
            }
        }
    }

    async fn message(&mut self) -> Result<RoundDown, Problem> {
        let message = timeout(self.limits.silence, self.down.message()).await;
        let message = message.map_err(|_| silent())?;
        let message = message.map_err(|status| super::blame::refusal(&status, &self.own))?;
        let message = message.ok_or_else(hung_up)?;
        self.received_bytes += message.encoded_len() as u64;
        Ok(message)
    }

    /// Why the coordinator ended the call in the middle of what this node was sending.
    async fn ended(&mut self) -> Problem {
        for _ in 0..AHEAD_MAX {
            match self.next().await {
                Ok(Down::End(end)) => return super::blame::reason(&end.problem, &self.own),
                Ok(_) => {}
                Err(problem) => return problem,
            }
        }
        hung_up()
    }

    /// Tells the coordinator why this node leaves the round, if it still listens.
    pub(super) async fn leave(mut self, problem: &Problem) {
        let left = Up::Left(entente_wire::canonical::to_bytes(&problem.for_others()));
        let farewell = self.limits.farewell;
        let _ = timeout(farewell, async {
            if self.step(left).await.is_ok() {
                // Until the coordinator has hung up, so that the message is not cut off with the line.
                while self.next().await.is_ok() {}
            }
        })
        .await;
    }

    /// Bytes of messages, sent and received.
    pub(super) fn bytes(&self) -> [u64; 2] {
        [self.sent_bytes, self.received_bytes]
    }
}

fn unreached(error: &ConnectError) -> Problem {
    crate::link::no_coordinator(error)
}

fn silent() -> Problem {
    let what = "the coordinator stopped answering in the middle of a round";
    let todo = "check that it is running; another round is joined by itself";
    Problem::new(Code::CoordinatorUnreachable, Side::Coordinator, what, todo)
}

fn too_early() -> Problem {
    let what = "the coordinator went on before this node's numbers had come";
    let todo = "compare versions with `entente --version`; if they are equal, ask whoever runs the coordinator";
    Problem::new(Code::CoordinatorMisbehaved, Side::Coordinator, what, todo)
}

fn hung_up() -> Problem {
    let what = "the coordinator ended the round's line without a reason";
    let todo = "look at the coordinator's log; another round is joined by itself";
    Problem::new(Code::CoordinatorUnreachable, Side::Coordinator, what, todo)
}

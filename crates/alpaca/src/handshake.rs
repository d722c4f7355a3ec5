//! The steps of a stream connection from greeting to data, as plain values.

use crate::wire::control::Control;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Waits for the greeting.
    Welcome,
    /// Credentials are sent.
    Authenticating,
    /// Subscriptions are sent.
    Subscribing,
    /// Data flows.
    Live,
}

/// What to do after a control message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on reading.
    Wait,
    /// Send the credentials.
    Authenticate,
    /// Send the subscriptions.
    Subscribe,
    /// The subscriptions stand.
    Live,
    /// Hang up, and try again later.
    Retry {
        /// The server's code.
        code: u16,
        /// The server's text.
        message: String,
    },
    /// Hang up for good: trying again would bring the same answer.
    Refused {
        /// The server's code.
        code: u16,
        /// The server's text.
        message: String,
    },
    /// Hang up, and try again later: the message does not belong here.
    Unexpected,
}

impl Handshake {
    /// The step after `control`, and what to do.
    pub fn next(self, control: &Control) -> (Self, Answer) {
        match (self, control) {
            (Self::Welcome, Control::Success { msg }) if msg == "connected" => {
                (Self::Authenticating, Answer::Authenticate)
            }
            (Self::Authenticating, Control::Success { msg }) if msg == "authenticated" => {
                (Self::Subscribing, Answer::Subscribe)
            }
            // Authenticated twice does no harm: the session stands.
            (Self::Authenticating, Control::Error { code: 403, .. }) => (Self::Subscribing, Answer::Subscribe),
            (Self::Subscribing, Control::Subscription(_)) => (Self::Live, Answer::Live),
            (Self::Live, Control::Success { .. } | Control::Subscription(_))
            | (Self::Subscribing | Self::Live, Control::Error { code: 403, .. }) => (self, Answer::Wait),
            (_, Control::Error { code, msg }) => {
                let (code, message) = (*code, msg.chars().take(160).collect());
                (self, if is_final(code) { Answer::Refused { code, message } } else { Answer::Retry { code, message } })
            }
            (_, Control::Success { .. } | Control::Subscription(_)) => (self, Answer::Unexpected),
        }
    }
}

/// Refusals that the same request would meet again: credentials (402), symbol limit (405), plan (409), channel (410), scope
/// (411), codec (412), star (413). A full endpoint (406) frees up when the other connection is gone.
const fn is_final(code: u16) -> bool {
    matches!(code, 402 | 405 | 409..=413)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::control::Channels;
    use crate::wire::error::StreamError;

    const STEPS: [Handshake; 4] =
        [Handshake::Welcome, Handshake::Authenticating, Handshake::Subscribing, Handshake::Live];

    #[test]
    fn every_step_answers_every_message() {
        use Answer::{Authenticate, Live, Subscribe, Unexpected, Wait};
        let subscribed = Control::Subscription(Channels::default());
        let cases = [
            (Control::connected(), [Authenticate, Unexpected, Unexpected, Wait]),
            (Control::authenticated(), [Unexpected, Subscribe, Unexpected, Wait]),
            (Control::Success { msg: "hello".into() }, [Unexpected, Unexpected, Unexpected, Wait]),
            (subscribed, [Unexpected, Unexpected, Live, Wait]),
        ];
        for (control, answers) in cases {
            for (step, answer) in STEPS.into_iter().zip(answers) {
                assert_eq!(step.next(&control).1, answer, "{step:?} {control:?}");
            }
        }
    }

    #[test]
    fn refusals_that_would_come_again_are_final_and_others_are_not() {
        for step in STEPS {
            for error in StreamError::ALL {
                let answer = step.next(&Control::error(error)).1;
                match error.code() {
                    402 | 405 | 409 | 410 | 411 | 412 | 413 => {
                        assert!(matches!(answer, Answer::Refused { .. }), "{error:?}")
                    }
                    403 if step != Handshake::Welcome => assert!(matches!(answer, Answer::Wait | Answer::Subscribe)),
                    _ => assert!(matches!(answer, Answer::Retry { .. }), "{error:?}"),
                }
            }
        }
    }
}

//! Who pushes: `ops/trust/actors.toml` of the base.
//!
//! ```toml
//! [[actor]]
//! name = "olga"
//! kind = "person"
//! pushers = ["olga@example"]
//! ```
//!
//! Whom it does not list is an agent with least rights: its own branches, should its name be one that a branch can have and nobody's else.

use serde::Deserialize;
use std::collections::BTreeSet;

/// Where actors stand.
pub const ACTORS_PATH: &str = "ops/trust/actors.toml";

/// Longest name of an actor or a pusher.
const NAME_MOST: usize = 128;

/// What an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A human.
    Person,
    /// Anything else.
    Agent,
}

/// Who is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The name; none of an agent that has no branches.
    pub name: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// Whether the base lists it.
    pub listed: bool,
}

impl Actor {
    /// The refs it may push, by how they begin; none of an agent without a name.
    pub fn branches(&self) -> Option<String> {
        self.name.as_ref().map(|name| format!("refs/heads/agent/{name}/"))
    }
}

/// Everybody whom the base lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actors {
    listed: Vec<Listed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: String,
    kind: Kind,
    #[serde(default)]
    pushers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    actor: Vec<Listed>,
}

/// Why a list of actors is refused, as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActorsError {
    /// It is no list.
    #[error("it is no list of `[[actor]]` with name, kind and pushers: {why}")]
    Form {
        /// Why.
        why: String,
    },
    /// A name that no branch can have.
    #[error("`{name}` is no actor's name: small letters, digits and `-`, a letter or digit first")]
    Name {
        /// The name.
        name: String,
    },
    /// The same twice.
    #[error("`{name}` stands in it twice")]
    Twice {
        /// An actor or a pusher.
        name: String,
    },
    /// A pusher without a name.
    #[error("the actor `{name}` has a pusher with no name, or one that is too long")]
    Pusher {
        /// The actor.
        name: String,
    },
}

impl Actors {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ActorsError`]; then nobody in it is believed.
    pub fn parse(bytes: &[u8]) -> Result<Self, ActorsError> {
        let form = |why: String| ActorsError::Form { why };
        let text = std::str::from_utf8(bytes).map_err(|_| form("it is not UTF-8".to_owned()))?;
        let file: File = toml::from_str(text).map_err(|error| form(error.message().to_owned()))?;
        let (mut names, mut pushers) = (BTreeSet::new(), BTreeSet::new());
        for actor in &file.actor {
            if !is_name(&actor.name) {
                return Err(ActorsError::Name { name: actor.name.chars().take(NAME_MOST).collect() });
            }
            if !names.insert(&actor.name) {
                return Err(ActorsError::Twice { name: actor.name.clone() });
            }
            for pusher in &actor.pushers {
                if pusher.trim().is_empty() || pusher.len() > NAME_MOST {
                    return Err(ActorsError::Pusher { name: actor.name.clone() });
                }
                if !pushers.insert(pusher) {
                    return Err(ActorsError::Twice { name: pusher.clone() });
                }
            }
        }
        Ok(Self { listed: file.actor })
    }

    /// The actor of a name. Whom nobody lists is an agent.
    pub fn of_name(&self, name: &str) -> Actor {
        match self.listed.iter().find(|actor| actor.name == name) {
            Some(actor) => actor.is(),
            None => Actor { name: is_name(name).then(|| name.to_owned()), kind: Kind::Agent, listed: false },
        }
    }

    /// The actor that an authenticated pusher is.
    pub fn of_pusher(&self, pusher: &str) -> Actor {
        match self.listed.iter().find(|actor| actor.pushers.iter().any(|listed| listed == pusher)) {
            Some(actor) => actor.is(),
            None => {
                // The name of somebody who is listed is not taken by whoever signs in under it.
                let free = is_name(pusher) && !self.listed.iter().any(|actor| actor.name == pusher);
                Actor { name: free.then(|| pusher.to_owned()), kind: Kind::Agent, listed: false }
            }
        }
    }
}

impl Listed {
    fn is(&self) -> Actor {
        Actor { name: Some(self.name.clone()), kind: self.kind, listed: true }
    }
}

/// Whether a name can be a part of a branch's, on every disk.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= NAME_MOST
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "[[actor]]\nname = \"olga\"\nkind = \"person\"\npushers = [\"olga@example\", \"o2\"]\n\
                        [[actor]]\nname = \"strategy-engine\"\nkind = \"agent\"\npushers = [\"ci-7\"]\n";

    fn of_pusher(pusher: &str) -> (Option<String>, Kind, bool) {
        let actor = Actors::parse(LIST.as_bytes()).unwrap().of_pusher(pusher);
        (actor.name, actor.kind, actor.listed)
    }

    #[test]
    fn a_pusher_is_who_the_list_says_and_else_an_agent_that_takes_nobodys_name() {
        assert_eq!(of_pusher("o2"), (Some("olga".to_owned()), Kind::Person, true));
        assert_eq!(of_pusher("ci-7"), (Some("strategy-engine".to_owned()), Kind::Agent, true));
        assert_eq!(of_pusher("mallory"), (Some("mallory".to_owned()), Kind::Agent, false));
        for pusher in ["olga", "strategy-engine", "O2", "o2 ", "a/b", "..", "", "Ä"] {
            assert_eq!(of_pusher(pusher), (None, Kind::Agent, false), "{pusher}");
        }
    }

    #[test]
    fn a_list_that_says_a_thing_in_two_ways_is_refused_as_a_whole() {
        for bad in [
            "x = 1",
            "[[actor]]\nname = \"a\"",
            "[[actor]]\nname = \"a\"\nkind = \"admin\"",
            "[[actor]]\nname = \"A\"\nkind = \"agent\"",
            "[[actor]]\nname = \"a\"\nkind = \"agent\"\nmay = \"all\"",
            "[[actor]]\nname = \"a\"\nkind = \"agent\"\npushers = [\"\"]",
            "[[actor]]\nname = \"a\"\nkind = \"agent\"\npushers = [\"p\", \"p\"]",
            "[[actor]]\nname = \"a\"\nkind = \"agent\"\n[[actor]]\nname = \"a\"\nkind = \"person\"",
            "[[actor",
        ] {
            assert!(Actors::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Actors::parse(b"\xff").is_err());
        assert_eq!(Actors::parse(b"# Nobody.\n"), Ok(Actors::default()));
    }
}

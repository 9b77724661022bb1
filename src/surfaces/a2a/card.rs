//! The agent card: what the hub says of itself to other agents. Made from the skills and the address; for those who are known
//! also from what they may ask. How it is served and signed is not said here.

use std::collections::BTreeMap;

use a2a::{
    Version,
    card::{
        ApiKey, Capabilities, Card, Extension, HTTP_JSON, HttpAuthentication, Interface, JSONRPC,
        Requirement, SecurityScheme, Skill,
    },
};

use super::{PATHS, REST};
use crate::{engine::caller::Caller, ops::skills};

const NAME: &str = "Trivium";

const ABOUT: &str = "A hub that stacks many accounts at many model providers behind one address. Send it a chat and it finds the \
    best target, falls back where one fails, and says why; or ask it about its quotas, models, costs and health.";

/// The bearer of a key, and the header in which some clients send one.
const BEARER: &str = "bearer";
const HEADER: &str = "keyHeader";

/// The card for everybody, of a hub at `base`.
pub(super) fn open(base: &str) -> Card {
    let interface = |path: &str, binding: &str, version: Version| Interface {
        url: format!("{base}{path}"),
        protocol_binding: binding.to_owned(),
        protocol_version: version.as_str().to_owned(),
        ..Interface::default()
    };
    let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Card {
        name: NAME.to_owned(),
        description: ABOUT.to_owned(),
        supported_interfaces: vec![
            interface(PATHS[0], JSONRPC, Version::V1),
            interface(REST, HTTP_JSON, Version::V1),
            interface(PATHS[0], JSONRPC, Version::V03),
        ],
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: Capabilities {
            streaming: Some(true),
            push_notifications: Some(true),
            extensions: vec![Extension {
                uri: skills::EXTENSION.to_owned(),
                description:
                    "Metadata of tasks and results: routing_explanation, cost_envelope, resilience_trace, \
                              policy_verdict."
                        .to_owned(),
                ..Extension::default()
            }],
            extended_agent_card: Some(true),
        },
        security_schemes: schemes(),
        security_requirements: vec![Requirement::of(BEARER), Requirement::of(HEADER)],
        default_input_modes: text(&["text/plain", "application/json"]),
        default_output_modes: text(&["text/plain", "application/json"]),
        skills: skills::ALL.iter().map(of_hub).collect(),
        ..Card::default()
    }
}

/// The card for a caller: the operations that it may ask for are skills too.
pub(super) fn extended(base: &str, caller: &Caller) -> Card {
    let mut card = open(base);
    card.skills.extend(skills::operations_for(caller).map(of_operation));
    card
}

fn schemes() -> BTreeMap<String, SecurityScheme> {
    let bearer = HttpAuthentication {
        description: "A key of the hub.".to_owned(),
        scheme: "Bearer".to_owned(),
        bearer_format: String::new(),
    };
    let header = ApiKey {
        description: "The same key in a header.".to_owned(),
        location: "header".to_owned(),
        name: "x-api-key".to_owned(),
    };
    BTreeMap::from([
        (BEARER.to_owned(), SecurityScheme::Http(bearer)),
        (HEADER.to_owned(), SecurityScheme::ApiKey(header)),
    ])
}

fn of_hub(skill: &skills::Skill) -> Skill {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Skill {
        id: skill.id.to_owned(),
        name: skill.name.to_owned(),
        description: skill.about.to_owned(),
        tags: texts(skill.tags),
        examples: texts(skill.examples),
        ..Skill::default()
    }
}

fn of_operation(definition: &operations::Definition) -> Skill {
    let does = if definition.hints.read_only { "looks" } else { "changes" };
    Skill {
        id: definition.name.to_owned(),
        name: definition.title.to_owned(),
        description: definition.summary.to_owned(),
        tags: vec!["operation".to_owned(), does.to_owned(), definition.command.0.to_owned()],
        examples: vec![definition.example.to_owned()],
        input_modes: vec!["application/json".to_owned()],
        ..Skill::default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use std::{env, fs, path::Path};

    use super::*;

    /// Where a hub listens that nobody has configured.
    const BASE: &str = "http://127.0.0.1:20128";

    #[test]
    fn the_card_in_the_repository_is_the_one_that_is_served() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".well-known/agent-card.json");
        let card = a2a::card::hybrid(&open(BASE)).unwrap();
        let made = format!("{}\n", serde_json::to_string_pretty(&card).unwrap());
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &made).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == made, "the card has changed: UPDATE_GOLDEN=1 cargo test -p trivium --lib a2a::card");
    }

    #[test]
    fn every_skill_says_all_that_a_card_must() {
        let card = open(BASE);
        assert!(card.skills.len() >= 6);
        for skill in &card.skills {
            assert!(!skill.name.is_empty() && !skill.description.is_empty(), "{skill:?}");
            assert!(!skill.tags.is_empty() && !skill.examples.is_empty(), "{skill:?}");
            assert!(
                operations::Definition::named(&skill.id).is_none(),
                "{} is an operation's name",
                skill.id
            );
        }
    }
}

//! Operations that look at one thing closely.

use std::sync::Arc;

use canon::{Block, Dialect, Message, Role, Turn, tokens};
use operations::{
    Scope,
    checks::{
        ConfigDiff, ConfigItem, CountTokensArgs, DatabaseCheck, DatabaseCheckArgs, PolicyCheck,
        PolicyPreview, PreviewPolicyArgs, TokenEstimate,
    },
    completions::Speaker,
    routing::LeftOut,
};

use super::{
    OpError,
    documents::Documents,
    error::require,
    keys::Keys,
    ports::{Configuration, Inspector, ReceiptQueue},
};
use crate::engine::{
    Engine,
    caller::{Caller, Policy},
    need::Need,
    refusal::Refusal,
};

/// What an estimate is worth.
const NOTE: &str = "an estimate by rules that hold for common vocabularies: within about an eighth on prose and code, on the \
                    high side; a provider may count otherwise";

/// Executes them.
pub struct Checks {
    engine: Arc<Engine>,
    keys: Arc<Keys>,
    documents: Arc<Documents>,
    configuration: Arc<dyn Configuration>,
    store: Arc<dyn Inspector>,
    queue: Arc<dyn ReceiptQueue>,
}

impl Checks {
    /// Looks at these.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        keys: Arc<Keys>,
        documents: Arc<Documents>,
        configuration: Arc<dyn Configuration>,
        store: Arc<dyn Inspector>,
        queue: Arc<dyn ReceiptQueue>,
    ) -> Self {
        Self { engine, keys, documents, configuration, store, queue }
    }

    /// What a key may ask.
    ///
    /// # Errors
    /// When another key is named that the caller may not see, or that there is not.
    pub async fn policy(&self, caller: &Caller, args: PreviewPolicyArgs) -> Result<PolicyPreview, OpError> {
        let is_own = |key: &String| *key == *caller.id || *key == *caller.name;
        let (whose, ended) = match args.key.filter(|key| !is_own(key)) {
            None => (caller.clone(), None),
            Some(key) => {
                require(caller, Scope::ReadKeys)?;
                let (whose, ended) = self.keys.as_caller(key).await?;
                // From where it would come is not known.
                let anywhere =
                    |policy: Arc<Policy>| Arc::new(Policy { addresses: None, ..(*policy).clone() });
                (Caller { policy: whose.policy.map(anywhere), ..whose }, ended)
            }
        };
        let preview = self.engine.preview(&whose, &args.model);
        let passed =
            |check: &str| PolicyCheck { check: check.to_owned(), allowed: true, ..PolicyCheck::default() };
        let mut checks = vec![match ended {
            None => passed("key"),
            Some(reason) => PolicyCheck {
                allowed: false,
                code: Some("invalid_api_key".to_owned()),
                reason: Some(reason),
                ..passed("key")
            },
        }];
        checks.extend(preview.checks.into_iter().map(|(check, refusal)| match refusal {
            None => passed(check),
            Some(Refusal { code, message, .. }) => PolicyCheck {
                allowed: false,
                code: Some(code.as_str().to_owned()),
                reason: Some(message.into()),
                ..passed(check)
            },
        }));
        let plan = preview.plan.as_ref();
        let targets = plan.map(|plan| plan.targets.as_slice()).unwrap_or_default().iter();
        let named = targets.map(|target| format!("{}/{}", target.connection.provider.id, target.model));
        let skipped = plan.filter(|_| caller.may(Scope::ReadHealth)).map(|plan| plan.skipped.as_slice());
        let left_out = skipped.unwrap_or_default().iter().map(|skip| {
            let skip = skip.record();
            LeftOut {
                connection: skip.connection.to_string(),
                model: skip.model.to_string(),
                reason: skip.reason,
                until_at: skip.until,
            }
        });
        Ok(PolicyPreview {
            key: whose.id.to_string(),
            name: whose.name.to_string(),
            allowed: checks.iter().all(|check| check.allowed),
            checks,
            targets: named.collect(),
            left_out: left_out.collect(),
            model: args.model,
        })
    }

    /// How long a text is.
    ///
    /// # Errors
    /// When the model means nothing here, or nothing that the caller may use.
    pub fn tokens(&self, caller: &Caller, args: CountTokensArgs) -> Result<TokenEstimate, OpError> {
        let plan = self.engine.simulate(caller, &args.model, Dialect::Chat, &Need::default());
        let plan = plan.map_err(|refusal| OpError::Denied(Box::new(refusal)))?;
        let context = plan.targets.iter().filter_map(|target| target.facts.context).min();
        let tokens = match &args.text {
            Some(text) => tokens::in_text(text),
            None => {
                let messages = args.messages.into_iter().map(|message| {
                    let role = match message.role {
                        Speaker::System => Role::System,
                        Speaker::User => Role::User,
                        Speaker::Assistant => Role::Assistant,
                    };
                    Message::new(role, vec![Block::text(message.content)])
                });
                tokens::in_turn(&Turn { messages: messages.collect(), ..Turn::default() })
            }
        };
        let (method, note) = ("estimate".to_owned(), NOTE.to_owned());
        Ok(TokenEstimate { model: args.model, tokens, method, note, context })
    }

    /// What is in force beside the file.
    #[must_use]
    pub fn configuration(&self) -> ConfigDiff {
        let aside = self.configuration.set_aside();
        let mut diff = ConfigDiff::default();
        for document in self.documents.living() {
            let reason = aside.iter().find(|one| one.section == document.section && one.id == document.id);
            let item = |note: String| ConfigItem {
                section: document.section.to_string(),
                id: document.id.to_string(),
                definition: self
                    .configuration
                    .masked(document.definition.as_ref().unwrap_or(&serde_json::Map::new())),
                note,
            };
            match reason {
                Some(one) => diff.set_aside.push(item(one.reason.clone())),
                None => diff.managed.push(item(format!("made over the API, version {}", document.version))),
            }
        }
        let declared = self.configuration.declared();
        let outside = declared.iter().filter(|item| {
            ["environment variable ", "flag "].iter().any(|prefix| item.place.starts_with(prefix))
        });
        diff.overrides = outside
            .map(|item| ConfigItem {
                section: item.section.to_owned(),
                id: item.id.clone(),
                definition: item.definition.clone(),
                note: item.place.clone(),
            })
            .collect();
        diff
    }

    /// How the database is.
    ///
    /// # Errors
    /// When it cannot be looked at, or the caller may not repair it.
    pub async fn database(&self, caller: &Caller, args: DatabaseCheckArgs) -> Result<DatabaseCheck, OpError> {
        if args.repair {
            require(caller, Scope::WriteBackups)?;
        }
        let found = self.store.inspect(args.repair).await.map_err(|error| OpError::Store(Box::new(error)))?;
        let waiting = self.queue.state();
        Ok(DatabaseCheck {
            kind: found.kind.to_owned(),
            sound: found.damage.is_empty(),
            damage: found.damage,
            bytes: found.bytes,
            log_bytes: found.log_bytes,
            schema: found.schema,
            latest: found.latest,
            receipts_waiting: u64::try_from(waiting.waiting).unwrap_or(u64::MAX),
            receipts_dropped: waiting.dropped,
            repaired: args.repair,
        })
    }
}

//! One entry of the list: from what was written to a connection.

use std::sync::Arc;

use super::{
    API_KEY, Against, BASE_URL, ENABLED, ID, NO_TRAINING, PRIORITY, PROXY, SECTION, TIER, allowance,
    endpoints,
    key::{self, Credential},
    kind, models, oauth,
};
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Written},
        fingerprint::fingerprint,
        layers::Overlay,
        mask::shown,
        node::Node,
        proxy,
    },
    engine::settings::{Connection, PrefixMatch, Provider, Tier},
};

/// Priority of an entry that names none. Above what people write, so that whoever writes `priority: 1` into
/// one entry gets that one first.
const DEFAULT_PRIORITY: i32 = 100;

/// What tiers are called.
pub(in crate::config) fn tiers() -> [(&'static str, Tier); 4] {
    Tier::ALL.map(|tier| (tier.as_str(), tier))
}

/// An entry while it is read.
#[derive(Debug)]
pub(super) struct Instance<'a> {
    fields: Fields<'a>,
    against: Against<'a>,
}

impl<'a> Instance<'a> {
    pub(super) fn open(
        node: &'a Node,
        index: usize,
        overlay: &'a Overlay,
        against: Against<'a>,
        sink: &mut Sink,
    ) -> Self {
        let path = format!("{}[{index}]", SECTION.name);
        Self { fields: Fields::open(&SECTION, path, Some(node), overlay, sink), against }
    }

    pub(super) fn path(&self) -> &str {
        self.fields.path()
    }

    /// The entry's id, if it has a valid one.
    pub(super) fn id(&self, sink: &mut Sink) -> Option<Written<String>> {
        let path = self.fields.path_of(&ID);
        let Some(written) = self.fields.text(sink, &ID) else {
            if self.fields.node(&ID).is_none() {
                let remedy = "give the account a name of its own, such as `id: groq-1`";
                sink.problems.error(&path, self.fields.origin(), "`id` is missing", remedy);
            }
            return None;
        };
        let harmless = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if !(1..=64).contains(&written.value.len()) || !written.value.chars().all(harmless) {
            let message = format!("expected {}, found {}", ID.kind, shown(&written.value));
            sink.problems.error(&path, &written.origin, message, "write for example `id: groq-1`");
            return None;
        }
        sink.holds(path, &ID, written.value.as_str(), written.origin.clone());
        Some(written)
    }

    /// The connection, unless the entry is switched off, was skipped with a warning, or has errors. An entry
    /// without an id is read too: its other problems are worth knowing at the same time.
    pub(super) fn check(&self, id: Option<&Written<String>>, sink: &mut Sink) -> Option<Connection> {
        if !self.fields.truth(sink, &ENABLED, true) {
            return None;
        }
        let name = id.map_or("this entry", |id| id.value.as_str());
        let connection = self.connection(name, sink)?;
        self.warn_of_shadow(id?, &connection.provider, sink);
        Some(connection)
    }

    fn connection(&self, id: &str, sink: &mut Sink) -> Option<Connection> {
        let fields = &self.fields;
        let provider = kind::provider(fields, self.against, sink);
        let priority = fields.number(sink, &PRIORITY, -1_000_000..=1_000_000, DEFAULT_PRIORITY);
        let no_training = fields.truth(sink, &NO_TRAINING, false);
        let tier = fields.choice(sink, &TIER, &tiers(), Tier::default());
        let allowance = Arc::new(allowance::read(fields, sink));
        let own = fields.node(&PROXY).and_then(|_| proxy::one(fields, &PROXY, sink));
        let provider = provider?;
        let models = models::read(fields, provider, self.against.known, sink);
        let endpoints = endpoints::read(fields, provider, self.against.spoken, sink)?;
        let oauth = oauth::read(fields, sink).ok()?.map(|oauth| oauth::bound(oauth, &endpoints.place));
        let credential = match &oauth {
            Some(_) => self.no_key(sink).map(|()| None)?,
            None => match key::read(fields, provider, id, endpoints.local, sink) {
                Credential::Usable(credential) => credential,
                Credential::Missing => return None,
            },
        };
        if let (Some(origin), true) = (endpoints.exposed, credential.is_some() || oauth.is_some()) {
            let message = format!("`{id}` sends its key unencrypted over the network");
            let remedy = "use https, or an address in a private network";
            sink.problems.warning(&fields.path_of(&BASE_URL), &origin, message, remedy);
        }
        let proxy = self.against.proxies.of(own, &provider.id, &endpoints.urls, endpoints.local);
        Some(Connection {
            id: Arc::from(id),
            proxy,
            fingerprint: fingerprint(&provider.id, credential.as_ref(), &endpoints.urls)
                ^ oauth.as_ref().map_or(0, |oauth| oauth.binding),
            provider: Arc::new(provider.clone()),
            credential,
            oauth: oauth.map(Arc::new),
            endpoints: endpoints.urls,
            models,
            priority,
            tier,
            no_training,
            allowance,
        })
    }

    /// An account has a key or a login, and never both.
    fn no_key(&self, sink: &mut Sink) -> Option<()> {
        let Some(node) = self.fields.node(&API_KEY) else { return Some(()) };
        let message = "there is a key and a login, and one of them would never be used";
        let remedy = "remove `api_key` or `oauth`";
        sink.problems.error(&self.fields.path_of(&API_KEY), &node.origin, message, remedy);
        None
    }

    /// `groq/model` would be taken for the connection of that name, whosever account it is.
    fn warn_of_shadow(&self, id: &Written<String>, provider: &Provider, sink: &mut Sink) {
        let Some(PrefixMatch::Provider(named)) = self.against.catalogue.by_prefix(&id.value) else { return };
        if named.id == provider.id {
            return;
        }
        let id_text = &id.value;
        let message = format!(
            "the id `{id_text}` is also the name of {}, and this is an account at {}",
            named.name, provider.name
        );
        let remedy =
            format!("choose another, such as `{}-1`, so that `{id_text}/…` means one thing", provider.id);
        sink.problems.warning(&self.fields.path_of(&ID), &id.origin, message, remedy);
    }
}

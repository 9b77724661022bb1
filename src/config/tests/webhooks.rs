//! The section `webhooks`: what is accepted, and what every mistake is told.

use super::*;
use crate::engine::settings::HookEvent;

const URL: &str = "https://hooks.example.com/T0/abc?key=s3cret";

#[test]
fn webhooks_are_read_and_their_urls_and_secrets_are_not_shown() {
    let yaml = format!(
        "webhooks:\n  - {{id: a, url: '{URL}', events: ['quota.*', budget.exceeded], secret: '0123456789abcdefg', allow_private: on}}\n  \
         - {{id: b, url: 'http://x.example'}}\n"
    );
    let loaded = accepted(&yaml);
    let [a, b] = &loaded.settings.webhooks[..] else { panic!("{:?}", loaded.settings.webhooks) };
    assert_eq!(a.url.expose(), URL);
    use HookEvent::{BudgetExceeded, QuotaExhausted, QuotaNearlyUsed, QuotaReset};
    assert_eq!(a.events, [BudgetExceeded, QuotaNearlyUsed, QuotaExhausted, QuotaReset]);
    assert!(a.allow_private && a.secret.is_some());
    assert_eq!((b.events.len(), b.allow_private, &b.secret), (HookEvent::ALL.len(), false, &None));
    let shown = format!("{:?} {:?}", loaded.effective, loaded.settings.webhooks);
    assert!(!shown.contains("hooks.example") && !shown.contains("0123456789"), "{shown}");
}

#[test]
fn mistakes_are_told_with_place_and_remedy() {
    for (entry, told, remedy) in [
        ("{url: 'http://x.example'}", "`id` is missing", "id: on-call"),
        ("{id: a}", "`url` is missing", "url: https://"),
        ("{id: a, url: x.example}", "expected an http or https URL", "url: https://"),
        ("{id: a, url: 'http://me:pw@x.example'}", "without a user name or password", "url: https://"),
        ("{id: a b, url: 'http://x.example'}", "expected a name", "id: on-call"),
        ("{id: a, url: 'http://x.example', events: [quota.rest]}", "there is no event", "quota.reset"),
        ("{id: a, url: 'http://x.example', events: ['quo*']}", "there is no event", "quota.*"),
        ("{id: a, url: 'http://x.example', secret: short}", "at least 16", "openssl rand"),
        ("{id: a, url: 'http://x.example', secret: '${NONE}'}", "NONE is not set", "set it"),
        ("{id: a, url: 'http://x.example'}, {id: a, url: 'http://y.example'}", "given twice", "rename"),
    ] {
        let problems = refused(&format!("webhooks: [{entry}]\n"));
        let all = format!("{problems:?}");
        assert!(all.contains(told) && all.contains(remedy) && !all.contains("me:pw"), "{entry}: {all}");
    }
    assert!(format!("{:?}", refused("webhooks: {a: b}")).contains("expected a list of webhooks"));
}

//! Names in a configuration file that changes under a running hub: every mistake is told with its place and what to do,
//! and changes nothing. And the combos that the command line prints, which can be pasted as they are.

use std::fs;

use super::support::{Ground, Hub, SOON, eventually};

const GOOD: &str = "aliases: {quick: m}\n";

/// What is added to the file, the place that is told, and the words.
const MISTAKES: [(&str, &str, &str); 8] = [
    (
        "combos: [{id: x, steps: [combo/y]}, {id: y, steps: [combo/x]}]",
        "combos[0].id",
        "leads back to itself",
    ),
    ("combos: [{id: x, steps: [n]}]", "combos[0].steps[0]", "no connection serves a model named `n`"),
    ("combos: [{id: x, steps: [{model: m, weight: -1}]}]", "combos[0].steps[0].weight", "the number `-1`"),
    ("combos: [{id: x, steps: [m]}, {id: x, steps: [m]}]", "combos[1].id", "`x` is given twice"),
    ("combos: [{id: quick, steps: [m]}]", "aliases.quick", "of a combo in line 2 and of an alias in line 1"),
    ("map: [{match: 'gpt-*', to: nowhere}]", "map[0].to", "the rule leads nowhere"),
    ("combos: [{id: x, fallback: m, steps: [m]}]", "combos[0].fallback", "expected `off`, `auto`, or a name"),
    ("routing: {substitute: sometimes}", "routing.substitute", "expected `on` or `off`"),
];

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_names_are_refused_and_the_running_names_stay() {
    let hub = Hub::builder().section(GOOD).account("a", "sim-ok").start().await;
    let good = fs::read_to_string(hub.ground.config()).unwrap();
    for (section, place, words) in MISTAKES {
        let before = hub.ground.said().len();
        hub.write_config(&good.replacen(GOOD, &format!("{GOOD}{section}\n"), 1));
        let told = eventually("the mistake is told", SOON, || {
            let said = hub.ground.said().get(before..)?.to_owned();
            // Once the line is whole.
            (said.contains("the running settings stay in use") && said.ends_with('\n')).then_some(said)
        })
        .await;
        assert!(told.contains(words) && told.contains(place), "{section}: {told}");
        hub.chat("quick").send().await.must_be_whole();
        let check = hub.ground.cli(&["config", "check"]).await;
        assert_eq!(check.status.code(), Some(2), "{section}");
        let said = String::from_utf8(check.stderr).unwrap();
        assert!(said.contains(words) && said.contains("trivium.yaml:"), "{section}: {said}");
    }
    hub.write_config(&good.replacen(GOOD, "aliases: {slow: m}\n", 1));
    let end = tokio::time::Instant::now() + SOON;
    while hub.chat("slow").send().await.status != 200 {
        assert!(tokio::time::Instant::now() < end, "{}", hub.ground.said());
    }
    assert_eq!(hub.chat("quick").send().await.status, 404);
}

const ACCOUNTS: &str = "providers:
  - {id: openai-1, type: openai, api_key: sk-1, models: [gpt-5, gpt-5-mini]}
  - {id: groq-1, type: groq, api_key: k, tier: free, models: [llama-3.3-70b-versatile, openai/gpt-oss-120b]}
";

#[tokio::test(flavor = "multi_thread")]
async fn printed_combos_can_be_pasted() {
    let ground = Ground::new();
    fs::write(ground.config(), ACCOUNTS).unwrap();
    let printed = ground.cli_ok(&["config", "combos"]).await;
    for part in
        ["id: coding", "id: cheap-first", "id: free-stack", "- groq-1/openai/gpt-oss-120b", "- gpt-5\n"]
    {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let coding = printed.find("id: coding").unwrap();
    let order = ["- gpt-5\n", "- gpt-5-mini"].map(|step| printed[coding..].find(step).unwrap());
    assert!(order[0] < order[1], "the best comes first: {printed}");
    fs::write(ground.config(), format!("{ACCOUNTS}{printed}\n")).unwrap();
    let check = ground.cli_ok(&["config", "check"]).await;
    assert!(check.contains("ok, 2 connections, no warnings"), "{check}");
    let again = ground.cli_ok(&["config", "combos"]).await;
    assert!(!again.contains("id: coding"), "its name is taken: {again}");

    let copy = ground.cli_ok(&["config", "combos", "duplicate", "coding", "mine"]).await;
    assert!(copy.contains("- id: mine\n") && copy.contains("- gpt-5\n"), "{copy}");
    fs::write(ground.config(), format!("{ACCOUNTS}{printed}\n{copy}\n")).unwrap();
    ground.cli_ok(&["config", "check"]).await;
    for (id, new) in [("mine", "coding"), ("nobody", "new")] {
        let refused = ground.cli(&["config", "combos", "duplicate", id, new]).await;
        assert!(!refused.status.success() && refused.stdout.is_empty());
    }
}

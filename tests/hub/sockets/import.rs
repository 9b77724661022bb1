//! `trivium import`: a foreign file is shown, written, and made at a running hub, which then serves its names.

use std::fs;

use super::support::{Ground, Hub};

/// A part of every key here.
const CANARY: &str = "CaNaRyImP0rT";

const LITELLM: &str = "
model_list:
  - model_name: smart
    litellm_params: {model: openai/m, api_base: http://ADDRESS/v1, api_key: sim-ok.KEY, weight: 1}
  - model_name: smart
    litellm_params: {model: openai/other, api_base: http://ADDRESS/v1, api_key: os.environ/OTHER_KEY, weight: 1}
  - model_name: house
    litellm_params: {model: openai/m, api_base: http://ADDRESS/v1, api_key: sim-ok.KEY}
  - model_name: aws
    litellm_params: {model: bedrock/claude}
router_settings:
  cooldown_time: 7
  fallbacks: [{smart: [house]}]
general_settings: {master_key: sk-KEY}
";

fn file(ground: &Ground, address: &str) -> String {
    let path = ground.home().join("litellm.yaml");
    fs::write(
        &path,
        LITELLM
            .replace("ADDRESS", address)
            .replace("sim-ok.KEY", &format!("sim-ok.{CANARY}"))
            .replace("sk-KEY", &format!("sk-{CANARY}")),
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

/// Exit status and everything that was said, which holds no key.
async fn ran(ground: &Ground, args: &[&str]) -> (i32, String) {
    let output = ground.cli(args).await;
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!said.contains(CANARY), "{said}");
    (output.status.code().unwrap(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_litellm_is_made_at_a_running_hub_and_served() {
    let hub = Hub::builder().account("a", "sim-ok").env("OTHER_KEY", "sim-ok.other").start().await;
    let path = file(&hub.ground, &hub.provider.address.to_string());
    let (status, said) = ran(&hub.ground, &["import", &path]).await;
    for expected in [
        "From LiteLLM",
        "+ connection `node-1`",
        "+ combo `smart`",
        "+ alias `house`",
        "`aws` is left out",
        "Nothing was written",
    ] {
        assert!(status == 0 && said.contains(expected), "{expected}: {said}");
    }
    let (status, said) = ran(&hub.ground, &["import", &path, "--apply", "--dry-run"]).await;
    assert!(status == 0 && said.contains("Nothing was changed"), "{said}");
    assert_eq!(hub.chat("smart").send().await.status, 404, "nothing was changed");
    let (status, said) = ran(&hub.ground, &["import", &path, "--apply"]).await;
    assert!(status == 0 && said.contains("Imported: ") && said.contains("1 of "), "{said}");
    assert!(said.contains("auth.api_key"), "what only a start can change is told: {said}");
    for model in ["smart", "house"] {
        let answer = hub.chat(model).send().await;
        answer.must_be_whole();
        assert!(answer.header("x-gateway-route").starts_with("node-"), "{model}");
    }
    assert!(!hub.provider.calls(CANARY).is_empty(), "the key of the file was used");
    let (status, said) = ran(&hub.ground, &["import", "litellm", &path, "--apply"]).await;
    assert!(status == 0 && said.contains("Unchanged"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_written_for_its_owner_alone_and_passes_the_check() {
    let ground = Ground::new();
    let path = file(&ground, "127.0.0.1:9");
    let target = ground.home().join("new.yaml");
    let wanted = target.to_str().unwrap();
    let (status, said) = ran(&ground, &["import", &path, "-o", wanted]).await;
    assert!(status == 0 && said.contains("Written: "), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (status, said) = ran(&ground, &["config", "check", wanted]).await;
    assert!(status == 0 && said.contains("ok, 1 connection"), "{said}");
    let text = fs::read_to_string(&target).unwrap();
    assert!(text.contains(CANARY) && text.contains("${OTHER_KEY}"), "{text}");
    fs::write(&target, "# mine").unwrap();
    let (status, said) = ran(&ground, &["import", &path, "-o", wanted]).await;
    assert!(status == 1 && said.contains("--force"), "{said}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "# mine");
    let (status, _) = ran(&ground, &["import", &path, "-o", wanted, "--force"]).await;
    assert!(status == 0 && fs::read_to_string(&target).unwrap() == text);
    // Names what it cannot read, and touches nothing.
    let (status, said) = ran(&ground, &["import", "nowhere.yaml"]).await;
    assert!(status == 1 && said.contains("nowhere.yaml cannot be read"), "{said}");
    let (status, said) = ran(&ground, &["import", "env"]).await;
    assert!(status == 0 && said.contains("no variable holds a provider's key"), "{said}");
    let (status, said) = ran(&ground, &["import", &path, "--apply"]).await;
    assert!(
        status == 1 && said.contains("OTHER_KEY is not set") && said.contains("Nothing was changed"),
        "{said}"
    );
}

//! What the hub lets in: requests per minute and address.

use super::support::Hub;

#[tokio::test(flavor = "multi_thread")]
async fn an_address_gets_what_rate_limit_max_says_and_no_more() {
    let hub = Hub::builder().account("a", "sim-ok").env("RATE_LIMIT_MAX", "5").start().await;
    for _ in 0..5 {
        hub.chat("m").send().await.must_be_whole();
    }
    for path in ["/v1/models", "/api/keys"] {
        let answer = hub.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "rate_limit_exceeded"), "{path}");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    assert_eq!(hub.get("/livez").await.status.as_u16(), 200, "probes are not counted");
    assert_eq!(hub.provider.calls("a").len(), 5);
}

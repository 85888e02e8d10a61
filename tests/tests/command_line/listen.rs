//! `verifier-server listen` prints events on a developer's terminal and forwards them to their
//! machine.

use harness::client::{APPROVED, Browser, Merchant, Prepared, attempt, card};
use harness::folder::Folder;
use harness::verifier_process::{Setup, program};
use harness::webhook_receiver::WebhookReceiver;
use sealpay_protocol::api::SessionView;
use sealpay_protocol::webhook::{EndpointSecret, public_key};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running `listen`, killed when this is dropped.
struct Listening {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn listen(setup: &Setup, merchant: &str, words: &[&str]) -> Command {
    let mut listen = Command::new(program());
    listen.args(["listen", "--merchant", merchant]).args(words);
    listen.arg("--data").arg(&setup.data);
    listen.args(["--database", &setup.database]);
    listen
}

impl Listening {
    fn start(setup: &Setup, merchant: &Merchant, words: &[&str]) -> Self {
        let mut command = listen(setup, &merchant.id.to_string(), words);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let output = child.stdout.take().expect("its output is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line comes")
    }

    /// Asks it to end as Ctrl-C does.
    fn interrupt(mut self) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &process]).status();
        assert!(sent.expect("kill is there").success());
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }
}

async fn send(setup: &Setup, prepared: Prepared) -> reqwest::Response {
    let url = format!("{}{}", setup.origin, prepared.path);
    let mut request = reqwest::Client::new().post(url).body(prepared.body);
    for (name, value) in &prepared.headers {
        request = request.header(name, value);
    }
    request.send().await.expect("the verifier answers")
}

async fn pay(setup: &Setup, merchant: &Merchant, outcome: Option<&str>) {
    let browser = Browser::new(&setup.origin);
    let order = merchant.order(&setup.origin, outcome);
    let opened = send(setup, browser.open_session(&order)).await;
    let session: SessionView = opened.json().await.expect("a session");
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    assert_eq!(send(setup, request).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listen_prints_and_forwards_signed_events() {
    let folder = Folder::new("listen");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None);
    let stranger = setup.add_merchant(None);
    let (_process, _) = setup.started().await;
    pay(&setup, &merchant, None).await;
    let receiver = WebhookReceiver::start().await;
    let words = [
        "--forward-to",
        receiver.url(),
        "--event-types",
        "payment.captured,payment.refunded",
    ];
    let listening = Listening::start(&setup, &merchant, &words);
    let begun = listening.line();
    assert_eq!(
        begun,
        format!("Events of {} go to {}", merchant.id, receiver.url())
    );
    let secret = listening.line();
    let secret = secret.strip_prefix("The webhook secret is ");
    let secret = EndpointSecret::parse(secret.expect("the secret is shown"));
    let secret = secret.expect("it is a secret");

    pay(&setup, &merchant, Some("insufficient_funds")).await;
    pay(&setup, &stranger, None).await;
    pay(&setup, &merchant, None).await;
    let line = listening.line();
    let words: Vec<_> = line.split_whitespace().collect();
    let [at, kind, subject, event, said] = words[..] else {
        panic!("{line}");
    };
    assert!(at.ends_with('Z') && at.len() == 20, "{line}");
    assert_eq!((kind, said), ("payment.captured", "204"), "{line}");
    let arrivals = receiver.arrivals();
    assert_eq!(
        arrivals.len(),
        1,
        "only what is new, of theirs, of that type"
    );
    assert_eq!(arrivals[0].id, event);
    let body: serde_json::Value = serde_json::from_slice(&arrivals[0].body).expect("JSON");
    assert_eq!(body["data"]["payment"]["id"], subject);
    let keys = reqwest::get(format!("{}/v1/keys", setup.origin)).await;
    let keys: serde_json::Value = keys.expect("keys").json().await.expect("JSON");
    let key = keys["webhook_keys"][0]["public_key"].as_str();
    let key = public_key(key.expect("a key")).expect("it is a key");
    arrivals[0]
        .verify(&key, &secret)
        .expect("both signatures fit");

    // Nobody is there any more: it says so and goes on.
    drop(receiver);
    pay(&setup, &merchant, None).await;
    let line = listening.line();
    assert!(line.contains("payment.captured"), "{line}");
    assert!(!line.ends_with(" 204"), "{line}");
    listening.interrupt();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_secret_is_used_and_not_printed() {
    let folder = Folder::new("listen-secret");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None);
    let secret = EndpointSecret::new([7; 32]);
    let receiver = WebhookReceiver::start().await;
    let revealed = secret.reveal();
    let words = ["--forward-to", receiver.url(), "--secret", &revealed];
    let listening = Listening::start(&setup, &merchant, &words);
    listening.line();
    let (_process, _) = setup.started().await;
    pay(&setup, &merchant, None).await;
    let line = listening.line();
    assert!(line.ends_with(" 204"), "{line}");
    let arrival = receiver.arrivals().remove(0);
    let headers = sealpay_protocol::webhook::WebhookHeaders {
        id: &arrival.id,
        timestamp: &arrival.timestamp,
        signature: &arrival.signature,
    };
    sealpay_protocol::webhook::verify_secret(&headers, &arrival.body, &secret, arrival.at)
        .expect("the signature fits");
    listening.interrupt();
}

#[test]
fn listen_explains_invalid_arguments() {
    let folder = Folder::new("listen-refusals");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None).id.to_string();
    let nobody = "mer_01jd0000000000000000000000";
    let good = ["--forward-to", "http://localhost:4242/"];
    #[rustfmt::skip]
    let rows: [(&str, &[&str], &str); 5] = [
        (nobody, &good, "there is no merchant mer_01jd"),
        (&merchant, &["--forward-to", "file:///etc/passwd"], "must start with https://"),
        (&merchant, &["--forward-to", "localhost:4242"], "must start with https://"),
        (
            &merchant,
            &[good[0], good[1], "--event-types", "payment.exploded"],
            "there is no event type \"payment.exploded\"",
        ),
        (&merchant, &[good[0], good[1], "--secret", "whsec_x"], "the secret is not whsec_"),
    ];
    let nowhere = Setup {
        data: folder.path().join("nowhere"),
        ..Setup::on_sqlite(folder.path())
    };
    let output = listen(&nowhere, &merchant, &good).output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("there is no "),
        "{said}"
    );
    assert!(!nowhere.data.exists(), "nothing is made there");
    for (merchant, words, sentence) in rows {
        let output = listen(&setup, merchant, words).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(sentence),
            "{words:?}: {said}"
        );
    }
}

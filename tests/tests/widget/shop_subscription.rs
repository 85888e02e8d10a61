//! Lantern oil, a bottle each month: subscribing in the shop, and the page on which a visitor
//! changes, pauses and cancels it.

use harness::browser::Session;
use harness::engine::Engine;
use harness::environment::TestEnvironment;
use harness::scenario::{Scenario, play_alone};
use harness::shopper::{Card, FRAME, MASTERCARD, PANEL, VISA};
use harness::simulation::DAY;

/// Where the first subscription of a visitor stands.
const SUBSCRIPTION: &str = ".subscription";
/// Its state.
pub(crate) const STATE: &str = ".subscription .pill";
/// The link to the page of an invoice that is due.
pub(crate) const DUE: &str = ".due a";

/// The persona whose card is [`VISA`].
pub(crate) const ADA: &str = "ada_approved";
/// A persona who has revoked the second renewal.
pub(crate) const ROLF: &str = "renewal_revoked_2";
pub(crate) const REVOKED_RENEWAL: Card = Card {
    number: "4000008004000001",
    ..VISA
};

/// Longer than two months, and shorter than the tries after a decline.
pub(crate) const TWO_RENEWALS: u64 = 64 * DAY;

/// Subscribes with a card, and comes to the page of the visitor's subscriptions.
pub(crate) async fn subscribe(
    session: &Session,
    environment: &TestEnvironment,
    card: Card,
    persona: &str,
) {
    session.enter_page().await;
    session.go(&environment.shop()).await;
    session.press("#lantern-oil button[type=submit]").await;
    session.enter_form().await;
    session.read("#agreement", "until you cancel").await;
    session.pay_with(card).await;
    confirm(session, environment, persona).await;
    session.see_order("paid").await;
    session.press("[data-live] a[href='/subscriptions']").await;
    session.read(STATE, "Active").await;
}

async fn confirm(session: &Session, environment: &TestEnvironment, persona: &str) {
    session.see("#code").await;
    let code = environment.code_on_phone_of(persona).await;
    session.confirm_code(&code).await;
}

/// Sends the form of an action, and waits for the state after it.
pub(crate) async fn act(session: &Session, action: &str, state: &str) {
    session
        .press(&format!("form[action$={action}] button"))
        .await;
    session.read(STATE, state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_is_changed_paused_resumed_and_cancelled() {
    change_pause_resume_and_cancel(Engine::Chromium).await;
}

pub(crate) async fn change_pause_resume_and_cancel(engine: Engine) {
    let scenario = Scenario::new("shop subscription").in_engine(engine);
    play_alone(scenario, async move |session, environment| {
        subscribe(&session, &environment, VISA, ADA).await;
        let page = session.read(SUBSCRIPTION, "1 bottle a month · €9.00").await;
        assert!(page.contains("•••• 4242"), "{page}");

        session.type_into(".change select", "3").await;
        session.press(".change button").await;
        session.read(SUBSCRIPTION, "3 bottles a month").await;
        session.read(SUBSCRIPTION, "€27.00").await;

        act(&session, "pause", "Paused").await;
        let page = session.read(SUBSCRIPTION, "until you resume").await;
        assert!(!page.contains("Next charge"), "{page}");
        act(&session, "resume", "Active").await;

        session.press("summary").await;
        session.read("details", "Your subscription ends on").await;
        act(&session, "cancel", "Ending").await;
        act(&session, "keep", "Active").await;
        environment.move_clock(32 * DAY).await;
        session.driver().refresh().await.unwrap();
        session
            .read(SUBSCRIPTION, "3 bottles a month · €27.00")
            .await;

        session.press("summary").await;
        act(&session, "cancel", "Ending").await;
        environment.move_clock(32 * DAY).await;
        session.driver().refresh().await.unwrap();
        session.read(STATE, "Cancelled").await;
        assert_eq!(session.count(".subscription form").await, 0);
    })
    .await;
}

/// Another browser is another visitor: it has no cookie of the first one.
#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_shown_to_their_visitor_only() {
    play_alone(
        "shop subscription of another",
        async move |session, environment| {
            subscribe(&session, &environment, VISA, ADA).await;
            session.assert_true("document.cookie === ''").await;
            let deleted = session.driver().delete_all_cookies().await;
            deleted.expect("cookies can be deleted");
            session.driver().refresh().await.unwrap();
            session
                .read("main", "You don’t have any subscriptions yet")
                .await;
            assert_eq!(session.count(SUBSCRIPTION).await, 0);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn declined_renewal_is_paid_with_another_card() {
    let scenario = Scenario::new("shop subscription declined").with_complaints(&[
        // The form on the page of an invoice is of the page's own origin.
        "can escape its sandboxing",
        // The first signature after the clock has moved is too old, and the form signs again.
        "401 (Unauthorized)",
    ]);
    play_alone(scenario, async move |session, environment| {
        subscribe(&session, &environment, REVOKED_RENEWAL, ROLF).await;
        environment.move_clock(TWO_RENEWALS).await;
        session.driver().refresh().await.unwrap();
        session.read(STATE, "Payment failed").await;
        session.read(".due", "can’t be charged any more").await;
        session.read(DUE, "Use another card").await;

        session.press(DUE).await;
        session.read("h1", "Pay 9.00 EUR").await;
        session.see(FRAME).await;
        session.pay_with(MASTERCARD).await;
        confirm(&session, &environment, "mia_approved").await;
        session.read(PANEL, "Payment complete").await;

        session.enter_page().await;
        session
            .go(&format!("{}/subscriptions", environment.shop()))
            .await;
        session.read(STATE, "Active").await;
        session.read(SUBSCRIPTION, "•••• 4444").await;
        assert_eq!(session.count(DUE).await, 0);
    })
    .await;
}

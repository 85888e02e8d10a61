//! Checks of the provider's notifications.

use super::CheckRun;
use crate::notification::{Notification, NotificationError, NotificationRequest};

/// Headers and body.
type Sent = (Vec<(String, String)>, Vec<u8>);

async fn read(run: &CheckRun<'_>, sent: &Sent) -> Result<Vec<Notification>, NotificationError> {
    let reader = run.notifications().await;
    reader.read(NotificationRequest {
        headers: &sent.0,
        body: &sent.1,
        now: u64::try_from(run.harness.now_ms() / 1000).unwrap_or(0),
    })
}

async fn refused(run: &CheckRun<'_>, sent: &Sent, what: &str) {
    let answer = read(run, sent).await;
    let is_refused = matches!(answer, Err(NotificationError::Unauthenticated(_)));
    run.ensure(is_refused, format!("{what} is read as {answer:?}"));
}

pub(super) async fn notification_names_its_payment_however_often_it_is_read(run: &CheckRun<'_>) {
    let reference = run.payment();
    let sent = run.harness.notification(reference);
    for time in ["the first time", "again", "after a restart"] {
        let expected = Ok(vec![Notification::Payment(reference)]);
        run.same(time, &read(run, &sent).await, &expected);
    }
}

pub(super) async fn altered_notification_is_refused(run: &CheckRun<'_>) {
    let sent = run.harness.notification(run.payment());
    let other = run.harness.notification(run.payment());
    refused(run, &(sent.0.clone(), other.1), "another one's body").await;
    for place in 0..sent.1.len() {
        let mut altered = sent.clone();
        altered.1[place] ^= 1;
        refused(run, &altered, &format!("a body with another byte {place}")).await;
    }
    let mut longer = sent.clone();
    longer.1.push(b' ');
    refused(run, &longer, "a body with a space behind it").await;
}

pub(super) async fn notification_without_its_headers_is_refused(run: &CheckRun<'_>) {
    let (_, body) = run.harness.notification(run.payment());
    refused(run, &(Vec::new(), body), "a body alone").await;
}

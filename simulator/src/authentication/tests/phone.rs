//! What the phone says of the codes that were sent to it.

use super::{MINUTE, SECOND, done, payment, stage, still_code};
use crate::phone::CodeState;
use sealpay_provider::authentication::Step;

#[tokio::test]
async fn the_phone_says_what_a_code_is_for_and_whether_it_can_be_used() {
    use CodeState::{Expired, Replaced, Used, Valid};
    let stage = stage("states").await;
    let states = async || -> Vec<_> {
        let sent = stage.sent().await.into_iter();
        sent.map(|sent| (sent.message.reference, sent.code_state))
            .collect()
    };
    let (first, second) = (Some(payment(1)), Some(payment(2)));
    stage.begin_code(1).await;
    assert_eq!(states().await, [(first, Some(Valid))]);
    stage.pass(30 * SECOND);
    still_code(stage.step(1, 1, Step::Resend).await);
    assert_eq!(
        states().await,
        [(first, Some(Valid)), (first, Some(Replaced))]
    );
    stage.prove(1).await;
    // Names of messages begin with the time: the next one has to be later.
    stage.pass(1);
    stage.begin_code(2).await;
    let of_the_first = [(first, Some(Used)), (first, Some(Replaced))];
    let all = |newest| [(second, Some(newest)), of_the_first[0], of_the_first[1]];
    assert_eq!(states().await, all(Valid));
    stage.pass(5 * MINUTE);
    assert_eq!(states().await, all(Expired));
    stage.pass(30 * SECOND);
    still_code(stage.step(2, 2, Step::Resend).await);
    done(stage.step(2, 3, Step::Cancel).await);
    assert_eq!(states().await[0], (second, Some(Expired)));
}

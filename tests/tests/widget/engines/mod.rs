//! The main flows in Firefox and WebKit.
//!
//! Each flow also looks for barriers with axe-core, and leaves pictures under
//! `target/screenshots/engines`. What the page hears is tried in Chromium only.

pub(crate) mod flows;

/// Each flow in Firefox and in WebKit.
macro_rules! flows {
    ($($name:ident => $flow:ident,)*) => {
        flows!(firefox, Firefox, $($name => $flow,)*);
        flows!(webkit, WebKit, $($name => $flow,)*);
    };
    ($module:ident, $engine:ident, $($name:ident => $flow:ident,)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::flows::$flow(harness::engine::Engine::$engine).await;
                }
            )*
        }
    };
}

flows! {
    approved_card_pays_the_order => pay_by_card,
    declined_card_is_replaced_by_one_that_pays => retry_after_a_decline,
    one_time_code_pays_the_order => confirm_by_code,
    confirmed_wallet_payment_pays_the_order => pay_by_wallet,
    received_transfer_pays_the_order => pay_by_transfer,
    direct_debit_is_collected_and_returned => pay_by_debit,
    three_forms_on_one_page_work_independently => three_forms,
    keyboard_alone_pays_the_order => pay_by_keyboard,
    saved_card_pays_the_next_order_and_is_removed => pay_by_saved_card,
    renewal_is_confirmed_on_the_page_of_its_invoice => confirm_a_renewal,
    declined_card_is_replaced_on_the_page_of_an_invoice => replace_a_declined_card,
    subscription_is_changed_paused_resumed_and_cancelled => change_pause_resume_and_cancel,
}

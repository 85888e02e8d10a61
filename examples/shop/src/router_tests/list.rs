//! The list of orders: searched, and page by page.

use super::delivery::of_payment;
use super::{Scene, scene, verifier_key};
use serde_json::json;

async fn listed(scene: &Scene, query: &str) -> Vec<String> {
    let page = scene.get(&format!("/orders{query}")).await.text;
    let links = page.split("<a href=\"/orders/").skip(1);
    links
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn orders_are_found_by_what_is_known_of_them() {
    let scene = scene("search", &[verifier_key()]);
    let lantern = scene.order().await;
    let lamp = scene
        .post_form("/checkout", "product=folded-lamp&pieces=1")
        .await;
    let address = lamp.headers["location"].to_str().unwrap();
    let lamp = address.strip_prefix("/checkout/").unwrap().to_owned();
    let paid = of_payment("1", &lantern, 1, "captured", json!({}));
    scene.deliver(&paid).await;

    let both = [lamp.clone(), lantern.clone()];
    let rows: [(&str, &[String]); 14] = [
        ("", &both),
        ("?q=", &both),
        ("?q=++", &both),
        (&format!("?q={lantern}"), &both[1..]),
        (&format!("?q={}", lamp.to_lowercase()), &both[..1]),
        ("?q=Lantern", &both[1..]),
        ("?q=lamp+7.500", &both[..1]),
        ("?q=lamp+49.80", &[]),
        ("?q=%E2%82%AC49.80", &both[1..]),
        ("?q=4242", &both[1..]),
        ("?q=pay_1+captured", &both[1..]),
        ("?q=%25", &[]),
        ("?q='", &[]),
        ("?q=4242&page=2", &[]),
    ];
    for (query, expected) in rows {
        assert_eq!(listed(&scene, query).await, expected, "{query}");
    }
    let page = scene.get("/orders?q=%3Cb%3E").await.text;
    assert!(page.contains("No orders match “&lt;b&gt;”."), "{page}");
    assert!(page.contains("value=\"&lt;b&gt;\"") && !page.contains("<b>"));
}

#[tokio::test]
async fn older_orders_are_on_other_pages() {
    let scene = scene("pages", &[]);
    let mut placed = Vec::new();
    for _ in 0..41 {
        placed.insert(0, scene.order().await);
    }
    let rows: [(&str, &[String], bool, bool); 6] = [
        ("?q=lantern", &placed[..20], false, true),
        ("?q=lantern&page=2", &placed[20..40], true, true),
        ("?q=lantern&page=3", &placed[40..], true, false),
        ("?page=4", &[], true, false),
        ("?page=0", &placed[..20], false, true),
        ("?page=first", &placed[..20], false, true),
    ];
    for (query, expected, has_newer, has_older) in rows {
        assert_eq!(listed(&scene, query).await, expected, "{query}");
        let page = scene.get(&format!("/orders{query}")).await.text;
        assert_eq!(page.contains(">Newer<"), has_newer, "{query}");
        assert_eq!(page.contains(">Older<"), has_older, "{query}");
        // The other pages are of the same search.
        let is_searched = page.contains("<input type=\"hidden\" name=\"q\" value=\"lantern\">");
        assert_eq!(is_searched, query.contains("lantern"), "{query}");
    }
}

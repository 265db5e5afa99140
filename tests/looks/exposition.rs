//! What the Prometheus client library for Rust really writes, read by our look.

use super::here::{Here, assert_rows};
use cockpit_domain::baseline::{Verdict, judge_metrics, read_sample};
use cockpit_domain::pack::{Measure, MetricsLook};
use prometheus::{
    Encoder as _, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder,
};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// A registry with one of each kind, labels with everything that has to be escaped.
struct Shop {
    registry: Registry,
    calls: IntCounterVec,
    took: HistogramVec,
    queue: GaugeVec,
}

impl Shop {
    fn new() -> Self {
        let calls = IntCounterVec::new(
            Opts::new("shop_calls_total", "Calls, \"all\" of them\nby path"),
            &["path", "code"],
        );
        let took = HistogramVec::new(
            HistogramOpts::new("shop_seconds", "Time").buckets(vec![0.1, 0.5, 1.0, 2.5]),
            &["path"],
        );
        let queue = GaugeVec::new(Opts::new("shop_queue", "Waiting"), &["name"]);
        let shop = Self {
            registry: Registry::new(),
            calls: calls.unwrap(),
            took: took.unwrap(),
            queue: queue.unwrap(),
        };
        shop.registry
            .register(Box::new(shop.calls.clone()))
            .unwrap();
        shop.registry.register(Box::new(shop.took.clone())).unwrap();
        shop.registry
            .register(Box::new(shop.queue.clone()))
            .unwrap();
        shop
    }

    fn text(&self) -> String {
        let mut out = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }
}

fn look(metric: &str, measure: Measure) -> MetricsLook {
    MetricsLook {
        url: "http://127.0.0.1:1/metrics".to_owned(),
        metric: metric.to_owned(),
        labels: BTreeMap::new(),
        measure,
        window_s: (measure != Measure::Value).then_some(300),
        quantile: (measure == Measure::Quantile).then_some(0.9),
        min: None,
        max: Some(1.0),
        for_s: 0,
    }
}

#[test]
fn counters_gauges_and_histograms_of_a_real_client_library_are_read() {
    let shop = Shop::new();
    let odd = "/a \"quoted\" \\ path\nwith, a = line { }";
    shop.calls.with_label_values(&[odd, "200"]).inc_by(5);
    shop.calls.with_label_values(&["/b", "500"]).inc_by(2);
    shop.queue.with_label_values(&["north"]).set(-2.5);
    shop.queue.with_label_values(&["south"]).set(1e9);
    for _ in 0..10 {
        shop.took.with_label_values(&["/b"]).observe(0.3);
    }
    let first = shop.text();
    shop.calls.with_label_values(&["/b", "500"]).inc_by(40);
    for number in 0..100 {
        let took = if number < 80 { 0.2 } else { 2.0 };
        shop.took.with_label_values(&["/b"]).observe(took);
    }
    let second = shop.text();
    let judged = |look: &MetricsLook| {
        let samples = [(&first, 0), (&second, 300_000)]
            .map(|(text, at_ms)| read_sample(look, text, at_ms).unwrap());
        judge_metrics(look, &samples)
    };
    let mut errors = look("shop_calls_total", Measure::Increase);
    errors.labels.insert("code".to_owned(), "500".to_owned());
    assert_eq!(
        judged(&errors).found,
        "increase of shop_calls_total over 5 min is 40, for 0 s"
    );
    let mut one = look("shop_calls_total", Measure::Value);
    one.labels.insert("path".to_owned(), odd.to_owned());
    assert_eq!(
        judged(&one).found,
        "shop_calls_total is 5, for 5 min",
        "{second}"
    );
    let mut queue = look("shop_queue", Measure::Value);
    queue.labels.insert("name".to_owned(), "north".to_owned());
    assert_eq!(judged(&queue).verdict, Verdict::Ok);
    // Eighty below half a second, twenty between one and two and a half: the ninetieth is half way.
    let slow = judged(&look("shop_seconds", Measure::Quantile));
    assert_eq!(
        slow.found,
        "quantile 0.9 of shop_seconds over 5 min is 1.75, for 0 s"
    );
}

#[test]
fn an_exposition_of_a_real_client_library_is_judged_over_the_wire() {
    let Some(mut here) = Here::new(&[]) else {
        return;
    };
    let shop = Shop::new();
    shop.queue.with_label_values(&["north"]).set(4.0);
    shop.queue.with_label_values(&["south"]).set(8.0);
    let text = shop.text();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 1024];
            if stream.read(&mut head).is_err() {
                continue;
            }
            let kind = TextEncoder::new().format_type().to_owned();
            let length = text.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
            );
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    let metrics = |more: &str| {
        format!(
            "metrics = {{ url = \"http://127.0.0.1:{port}/metrics\", metric = \"shop_queue\", measure = \"value\", {more} }}"
        )
    };
    here.check("all", &metrics("max = 10"));
    here.check("north", &metrics("labels = { name = \"north\" }, max = 10"));
    here.check("none", &metrics("labels = { name = \"west\" }, max = 10"));
    assert_rows(
        &here.judged(),
        &[
            ("all", "fail", "shop_queue is 12"),
            ("north", "ok", "shop_queue is 4"),
            (
                "none",
                "unknown",
                "there is no `shop_queue` with these labels",
            ),
        ],
    );
}

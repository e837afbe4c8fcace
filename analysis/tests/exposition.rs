//! Pages that the `prometheus` crate writes are read as what was put into them.

use std::collections::BTreeMap;

use nashtrace_analysis::load::{MetricKind, parse_exposition};
use prometheus::{
    CounterVec, Encoder, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TextEncoder,
};
use proptest::prelude::*;

fn page(registry: &Registry) -> Vec<u8> {
    let mut page = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut page).unwrap();
    page
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_are_read_as_they_were_meant(
        help in ".{1,20}",
        counters in prop::collection::btree_map(".{0,12}", 0.0..1e300_f64, 1..6),
        gauges in prop::collection::btree_map(".{0,12}", any::<f64>(), 1..6),
        observed in prop::collection::vec(-10.0..10.0_f64, 1..30),
    ) {
        let registry = Registry::new();
        let counter = CounterVec::new(Opts::new("c_total", &help), &["label"]).unwrap();
        let gauge = GaugeVec::new(Opts::new("g", &help), &["label"]).unwrap();
        let buckets = vec![-5.0, 0.0, 5.0];
        let options = HistogramOpts::new("h", &help).buckets(buckets.clone());
        let histogram = HistogramVec::new(options, &["label"]).unwrap();
        registry.register(Box::new(counter.clone())).unwrap();
        registry.register(Box::new(gauge.clone())).unwrap();
        registry.register(Box::new(histogram.clone())).unwrap();
        for (label, value) in &counters {
            counter.with_label_values(&[label]).inc_by(*value);
        }
        for (label, value) in &gauges {
            gauge.with_label_values(&[label]).set(*value);
        }
        for value in &observed {
            histogram.with_label_values(&["x"]).observe(*value);
        }
        let samples = parse_exposition(&page(&registry)).unwrap();
        let of = |name: &str, kind: MetricKind| -> BTreeMap<String, f64> {
            let named = samples.iter().filter(|sample| sample.series.name == name);
            named.map(|sample| {
                assert_eq!(sample.kind, kind);
                (sample.series.labels["label"].clone(), sample.value)
            }).collect()
        };
        prop_assert_eq!(&of("c_total", MetricKind::Counter), &counters);
        let read = of("g", MetricKind::Gauge);
        prop_assert_eq!(read.len(), gauges.len());
        for (label, value) in &gauges {
            prop_assert!(read[label] == *value || (read[label].is_nan() && value.is_nan()));
        }
        prop_assert_eq!(of("h_count", MetricKind::Histogram)["x"], observed.len() as f64);
        let bounds = buckets.into_iter().chain([f64::INFINITY]);
        for bound in bounds {
            let below = observed.iter().filter(|value| **value <= bound).count() as f64;
            let bucket = samples.iter().find(|sample| {
                sample.series.name == "h_bucket"
                    && sample.series.labels["le"].parse::<f64>() == Ok(bound)
            });
            prop_assert_eq!(bucket.unwrap().value, below);
        }
        prop_assert_eq!(samples.len(), counters.len() + gauges.len() + 4 + 2);
    }

    #[test]
    fn no_page_makes_the_parser_panic(page in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_exposition(&page);
    }

    #[test]
    fn no_line_of_the_format_s_own_signs_makes_the_parser_panic(page in "[a#{}\"\\\\,= 1\n]{0,60}") {
        if let Err(fault) = parse_exposition(page.as_bytes()) {
            prop_assert!(fault.line >= 1);
        }
    }
}

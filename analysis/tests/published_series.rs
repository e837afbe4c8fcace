//! Tests of stationarity and change points on well-known series, against published values.

use std::path::Path;

use nashtrace_analysis::load::Columns;
use nashtrace_analysis::stats::{
    Around, Deterministic, KpssLags, LagChoice, Model, Nature, OscillationSettings, Search, adf,
    change_points, kpss, rest,
};

fn series(name: &str) -> Vec<f64> {
    let file = if matches!(name, "realgdp" | "infl") { "macro" } else { name };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    Columns::read(&folder.join(file).with_extension("csv")).unwrap().numbers(name).unwrap()
}

#[test]
fn dickey_fuller() {
    use Deterministic::{Constant, Trend};
    // Statistic, p-value and lags of statsmodels 0.15.0.
    let table = [
        ("sunspots", Constant, -2.837_780_72, 0.053_076_4, 8),
        ("sunspots", Trend, -2.924_374_64, 0.154_465, 8),
        ("nile", Constant, -4.048_705_10, 0.001_175_89, 1),
        ("nile", Trend, -4.790_765_52, 0.000_486_143, 1),
        ("realgdp", Constant, 1.750_462_80, 0.998_246, 12),
        ("realgdp", Trend, -1.231_771_90, 0.903_788, 12),
        ("infl", Constant, -3.054_514_50, 0.030_107_6, 2),
        ("infl", Trend, -3.148_577_05, 0.095_143_7, 2),
    ];
    for (name, terms, statistic, p_value, lags) in table {
        let found = adf(&series(name), terms, LagChoice::Aic, None).unwrap();
        assert!((found.statistic - statistic).abs() < 1e-8, "{name}: {found:?}");
        assert!((found.p_value / p_value - 1.0).abs() < 1e-5, "{name}: {found:?}");
        assert_eq!(found.lags, lags, "{name}");
    }
    let fixed = [
        ("sunspots", -7.896_324_26),
        ("nile", -2.781_958_12),
        ("realgdp", 0.975_051_61),
        ("infl", -2.718_575_05),
    ];
    for (name, statistic) in fixed {
        let found = adf(&series(name), Constant, LagChoice::Fixed(4), None).unwrap();
        assert!((found.statistic - statistic).abs() < 1e-8, "{name}: {found:?}");
    }
}

#[test]
fn kwiatkowski_phillips_schmidt_shin() {
    use Around::{Level, Trend};
    use KpssLags::{Automatic, Legacy};
    let table = [
        ("sunspots", Level, Automatic, 0.669_866_30, 7),
        ("sunspots", Level, Legacy, 0.446_645_61, 16),
        ("sunspots", Trend, Automatic, 0.115_830_79, 7),
        ("nile", Level, Automatic, 0.869_120_56, 5),
        ("nile", Level, Legacy, 0.549_719_70, 12),
        ("nile", Trend, Automatic, 0.237_586_98, 4),
        ("realgdp", Level, Automatic, 2.068_514_74, 9),
        ("realgdp", Level, Legacy, 1.336_215_73, 15),
        ("realgdp", Trend, Automatic, 0.496_269_06, 9),
        ("infl", Level, Automatic, 0.384_674_02, 9),
        ("infl", Level, Legacy, 0.281_344_88, 15),
        ("infl", Trend, Automatic, 0.287_300_33, 9),
    ];
    for (name, around, lags, statistic, used) in table {
        let found = kpss(&series(name), around, lags).unwrap();
        assert!((found.statistic - statistic).abs() < 1e-8, "{name}: {found:?}");
        assert_eq!(found.lags, used, "{name}");
    }
    let p = |name: &str, lags| kpss(&series(name), Level, lags).unwrap().p_value;
    assert!((p("sunspots", Automatic) - 0.016_285).abs() < 1e-6);
    assert!((p("sunspots", Legacy) - 0.057_049).abs() < 1e-6);
    assert!((p("nile", Legacy) - 0.030_469).abs() < 1e-6);
    assert!((p("infl", Automatic) - 0.083_761).abs() < 1e-6);
    assert_eq!(p("nile", Automatic), 0.01);
}

#[test]
fn the_nile_changes_in_1898() {
    for model in [Model::L1, Model::L2, Model::Normal, Model::Rbf] {
        let search = Search { model, penalty: None, min_size: 10 };
        let found = change_points(&series("nile"), &search, || true).unwrap();
        assert_eq!(found.segmentation.change_points, [28], "{model:?}: {found:?}");
    }
}

/// A level that falls once: neither stationary nor a random walk.
#[test]
fn the_nile_breaks() {
    let settings = OscillationSettings { surrogates: 199, ..OscillationSettings::default() };
    let found = rest(&series("nile"), 50, &settings).unwrap();
    assert_eq!(found.nature, Some(Nature::Break));
    assert_eq!(found.change_points, [28]);
}

//! Does a series oscillate, how fast, and could red noise look like that?

mod crossings;
mod red_noise;
mod spectrum;

pub use crossings::{Crossings, PlanVariant};

use self::red_noise::RedNoise;
use self::spectrum::Spectrum;
use super::autocorrelation::{autocorrelations, centred};
use super::refusal::{Refusal, check};

/// How the search is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OscillationSettings {
    /// Surrogate series.
    pub surrogates: usize,
    /// A peak counts if at most this share of the surrogates has one that stands out as much.
    pub level: f64,
    /// Where the surrogates' random numbers begin.
    pub seed: u64,
}

impl Default for OscillationSettings {
    fn default() -> Self {
        Self { surrogates: 999, level: 0.005, seed: 0x6f73_6369 }
    }
}

/// Values that a series must have.
const LEAST_LENGTH: usize = 40;

/// Peaks that are looked for.
const MOST_PEAKS: usize = 5;

/// The r above which an oscillation is regular (Thornhill, Huang and Zhang 2003).
const REGULAR_R: f64 = 1.0;

/// Intervals between zero crossings that r is computed from.
const INTERVALS: usize = 10;

/// The share of the variance that an oscillation must have.
const LEAST_POWER: f64 = 0.01;

/// The coefficient of variation of the envelope of Gaussian noise in a narrow band, sqrt(4/pi - 1), is 0.52; of
/// a wave of constant amplitude it is 0. An amplitude that varies more than half as much as noise does is
/// driven by noise.
const STEADY_ENVELOPE: f64 = 0.26;

/// What drives an oscillation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// Its amplitude hardly varies: a limit cycle, or something periodic from outside.
    Sustained,
    /// Its amplitude comes and goes as that of a resonance which noise excites.
    Stochastic,
}

impl Drive {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sustained => "sustained",
            Self::Stochastic => "stochastic",
        }
    }
}

/// One spectral peak that stands out from red noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// The frequency of the peak, per sample.
    pub frequency: f64,
    /// The band that was kept, per sample.
    pub band: (f64, f64),
    /// Zero crossings of the autocorrelation of what is in the band.
    pub crossings: Crossings,
    /// The share of surrogates whose highest peak stands out as much.
    pub surrogate_p: f64,
    /// The share of the series' variance that is in the band.
    pub power: f64,
    /// The amplitude, in the units of the series.
    pub amplitude: f64,
    /// The coefficient of variation of the envelope.
    pub envelope_variation: f64,
}

impl Peak {
    /// Regular by r, with intervals enough and power enough.
    #[must_use]
    pub fn is_oscillation(&self, level: f64) -> bool {
        self.surrogate_p <= level
            && self.crossings.intervals >= INTERVALS
            && self.crossings.r > REGULAR_R
            && self.power >= LEAST_POWER
    }

    /// What drives it.
    #[must_use]
    pub fn drive(&self) -> Drive {
        if self.envelope_variation <= STEADY_ENVELOPE {
            Drive::Sustained
        } else {
            Drive::Stochastic
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Oscillation {
    /// The peaks that were looked at, the one that stands out most first; at least one.
    pub peaks: Vec<Peak>,
    /// The same crossings of the series as it is, without a filter and with its trend.
    pub unfiltered: Crossings,
    /// The research plan's variant, of the series as it is.
    pub plan: PlanVariant,
    /// The level at which a peak counts.
    pub level: f64,
    /// Surrogates that were compared with; fewer than were asked for if time was up.
    pub surrogates: usize,
}

impl Oscillation {
    /// The most outstanding peak that is an oscillation.
    #[must_use]
    pub fn found(&self) -> Option<&Peak> {
        self.peaks.iter().find(|peak| peak.is_oscillation(self.level))
    }

    /// Whether surrogates enough were compared with: with fewer no p-value reaches the level, and only a series
    /// without a regular peak is decided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        let is_in_reach = 1.0 / (self.surrogates + 1) as f64 <= self.level;
        is_in_reach || !self.peaks.iter().any(|peak| peak.is_oscillation(1.0))
    }
}

/// Look for oscillations, after a linear trend is taken out. Peaks of the periodogram are compared with the
/// spectrum of an autoregression of order 1 fitted to the series, and their height over it with the highest of
/// as many surrogates of that autoregression (residuals drawn with replacement, the fit repeated for
/// each): the red-noise test of Allen and Smith (1996). Surrogates with randomised phases would not
/// do: they have the autocorrelations of the series, and r is made of nothing else. Around each peak a band from
/// 1/1.3 to 1.3 of its frequency is kept, and r computed from it as by Thornhill, Huang and Zhang
/// (2003).
///
/// # Errors
///
/// If the series is shorter than 40 values or constant.
pub fn oscillation(series: &[f64], settings: &OscillationSettings) -> Result<Oscillation, Refusal> {
    oscillation_while(series, settings, &|| true)
}

/// The same; `go_on` is asked before every surrogate, and when it says no those drawn by then must do.
///
/// # Errors
///
/// If the series is shorter than 40 values or constant.
pub fn oscillation_while(
    series: &[f64],
    settings: &OscillationSettings,
    go_on: &dyn Fn() -> bool,
) -> Result<Oscillation, Refusal> {
    check(series, LEAST_LENGTH)?;
    let given = series;
    let series = without_trend(given);
    let size = |values: &[f64]| values.iter().map(|value| value.abs()).fold(0.0, f64::max);
    if size(&series) <= 1e-10 * size(given) {
        return Err(Refusal::Singular);
    }
    let n = series.len();
    let transform = spectrum::transform(n);
    let noise = RedNoise::fit(&series);
    let spectrum = Spectrum::of(series, &transform);
    let heights = spectrum.heights(&noise);
    let surrogates =
        noise.highest_peaks((n, &transform), settings.surrogates, settings.seed, go_on);
    let mut peaks: Vec<Peak> = Vec::new();
    while peaks.len() < MOST_PEAKS {
        let taken: Vec<(f64, f64)> = peaks.iter().map(|peak| peak.band).collect();
        let Some((bin, height)) = spectrum::highest(&heights, n, &taken) else { break };
        let above = surrogates.iter().filter(|surrogate| **surrogate >= height).count();
        let surrogate_p = (above + 1) as f64 / (surrogates.len() + 1) as f64;
        if surrogate_p > settings.level && !peaks.is_empty() {
            break;
        }
        peaks.push(peak(&spectrum, bin, surrogate_p));
    }
    let plain = autocorrelations(given, n - 1)?;
    Ok(Oscillation {
        peaks,
        unfiltered: Crossings::of(&plain),
        plan: PlanVariant::of(&plain),
        level: settings.level,
        surrogates: surrogates.len(),
    })
}

fn peak(spectrum: &Spectrum, bin: usize, surrogate_p: f64) -> Peak {
    let band = spectrum.band_around(bin);
    let filtered = spectrum.filter(band);
    let correlations = autocorrelations(&filtered.values, filtered.values.len() - 1);
    Peak {
        frequency: spectrum.frequency(bin),
        band,
        crossings: correlations.map_or_else(|_| Crossings::none(), |c| Crossings::of(&c)),
        surrogate_p,
        power: filtered.power,
        amplitude: std::f64::consts::SQRT_2 * filtered.deviation,
        envelope_variation: filtered.envelope_variation,
    }
}

fn without_trend(series: &[f64]) -> Vec<f64> {
    let deviations = centred(series);
    let n = series.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let product: f64 =
        deviations.iter().enumerate().map(|(t, value)| (t as f64 - middle) * value).sum();
    let slope = product / (n * (n * n - 1.0) / 12.0);
    let trendless = deviations.iter().enumerate();
    trendless.map(|(t, value)| value - slope * (t as f64 - middle)).collect()
}

#[cfg(test)]
mod tests;

//! Gambit's strategic games, `.nfg`, with payoffs or with outcomes.
//!
//! The first player's strategy changes fastest there. Numbers may be integers, decimals or fractions.

use crate::game::{Game, GameError, Player};
use crate::load::text::Fault;

pub(super) fn read(text: &str) -> Result<Game, Fault> {
    let mut tokens = Tokens::of(text)?;
    tokens.word("NFG", "the file does not begin with NFG")?;
    tokens.word("1", "only version 1 of the format is known: NFG 1")?;
    if !["R", "D"].contains(&tokens.next("R or D")?.text.as_str()) {
        return Err(tokens.fault("expected R or D after the version"));
    }
    tokens.string("the title")?;
    let players = read_players(&mut tokens)?;
    let line_of_body = tokens.line();
    let shape: Vec<usize> = players.iter().map(|player| player.strategies.len()).collect();
    let profiles: usize = shape.iter().product();
    let (rows, lines) = if tokens.is_open() {
        read_outcomes(&mut tokens, players.len(), profiles)?
    } else {
        read_payoffs(&mut tokens, players.len(), profiles)?
    };
    if let Some(token) = tokens.peek() {
        let what = format!("\"{}\" behind the last of {profiles} profiles", token.text);
        return Err(Fault::new(token.line, what));
    }
    let mut payoffs = vec![0.0; profiles * players.len()];
    for (number, row) in rows.iter().enumerate() {
        let target = last_fastest(number, &shape) * players.len();
        payoffs[target..][..players.len()].copy_from_slice(row);
    }
    let bad = rows.iter().position(|row| row.iter().any(|payoff| !payoff.is_finite()));
    Game::new(players, payoffs).map_err(|error| {
        let profile = bad.filter(|_| matches!(error, GameError::NotFinite { .. }));
        super::fault_at(error, &lines, line_of_body, profile)
    })
}

/// The number of a profile whose number is known with the first player fastest.
fn last_fastest(mut number: usize, shape: &[usize]) -> usize {
    let mut profile = 0;
    let mut stride: usize = shape.iter().product();
    for count in shape {
        stride /= count;
        profile += number % count * stride;
        number /= count;
    }
    profile
}

fn read_players(tokens: &mut Tokens) -> Result<Vec<Player>, Fault> {
    let line = tokens.line();
    tokens.word("{", "expected { before the players' names")?;
    let mut names = Vec::new();
    while !tokens.closes() {
        names.push(tokens.string("a player's name")?);
    }
    tokens.word("{", "expected { before the players' strategies")?;
    let mut players = Vec::new();
    while !tokens.closes() {
        let number = players.len();
        let Some(name) = names.get(number) else {
            return Err(tokens.fault("more lists of strategies than players"));
        };
        let strategies = if tokens.is_open() {
            tokens.word("{", "expected {")?;
            let mut strategies = Vec::new();
            while !tokens.closes() {
                strategies.push(tokens.string("a strategy's name")?);
            }
            strategies
        } else {
            let count = tokens.count("how many strategies a player has")?;
            // Every strategy needs a number of its own further down.
            if count > tokens.tokens.len() {
                return Err(tokens.fault("the file ends before the payoffs of so many strategies"));
            }
            vec![String::new(); count]
        };
        // Gambit allows strategies without a name; their number stands for it.
        let named = strategies
            .into_iter()
            .enumerate()
            .map(|(index, name)| if name.is_empty() { (index + 1).to_string() } else { name });
        players.push(Player { name: name.clone(), strategies: named.collect() });
    }
    if players.len() < names.len() {
        return Err(tokens.fault("fewer lists of strategies than players"));
    }
    if tokens.peek().is_some_and(|token| token.quoted) {
        tokens.string("a comment")?;
    }
    match Game::new(players.clone(), Vec::new()) {
        Err(GameError::PayoffCount { .. }) | Ok(_) => Ok(players),
        Err(error) => Err(Fault::new(line, error)),
    }
}

/// One row of payoffs per profile, and the line where each begins.
type Rows = (Vec<Vec<f64>>, Vec<usize>);

fn read_payoffs(tokens: &mut Tokens, players: usize, profiles: usize) -> Result<Rows, Fault> {
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for number in 1..=profiles {
        lines.push(tokens.line());
        let expected = format!("payoffs of profile {number} of {profiles}");
        let row: Result<_, _> = (0..players).map(|_| tokens.number(&expected)).collect();
        rows.push(row?);
    }
    Ok((rows, lines))
}

fn read_outcomes(tokens: &mut Tokens, players: usize, profiles: usize) -> Result<Rows, Fault> {
    tokens.word("{", "expected { before the outcomes")?;
    // Outcome 0 pays nothing.
    let mut outcomes = vec![vec![0.0; players]];
    while !tokens.closes() {
        tokens.word("{", "expected { before an outcome")?;
        tokens.string("an outcome's name")?;
        let row: Result<_, _> =
            (0..players).map(|_| tokens.number("an outcome's payoffs")).collect();
        outcomes.push(row?);
        if !tokens.closes() {
            return Err(tokens.fault("an outcome has more payoffs than there are players"));
        }
    }
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for number in 1..=profiles {
        lines.push(tokens.line());
        let outcome = tokens.count(&format!("the outcome of profile {number} of {profiles}"))?;
        let known = outcomes.len() - 1;
        let row = outcomes.get(outcome).ok_or_else(|| {
            Fault::new(lines[number - 1], format!("outcome {outcome}, but there are only {known}"))
        })?;
        rows.push(row.clone());
    }
    Ok((rows, lines))
}

struct Token {
    text: String,
    quoted: bool,
    line: usize,
}

/// The words of the file, and how far it is read.
struct Tokens {
    tokens: Vec<Token>,
    at: usize,
}

impl Tokens {
    fn of(text: &str) -> Result<Self, Fault> {
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        let mut line = 1;
        while let Some(char) = chars.next() {
            let begin = line;
            let mut text = String::new();
            match char {
                '\n' => line += 1,
                // Between the payoffs of an outcome a comma may stand for the blank.
                ' ' | '\t' | '\r' | ',' => {}
                '{' | '}' => {
                    tokens.push(Token { text: char.into(), quoted: false, line });
                }
                '"' => {
                    loop {
                        match chars.next() {
                            None => return Err(Fault::new(begin, "a quoted text is not closed")),
                            Some('"') => break,
                            Some('\\') => text.extend(chars.next()),
                            Some(char) => {
                                line += usize::from(char == '\n');
                                text.push(char);
                            }
                        }
                    }
                    tokens.push(Token { text, quoted: true, line: begin });
                }
                _ => {
                    text.push(char);
                    let ends = |char: &char| char.is_whitespace() || "{},\"".contains(*char);
                    while let Some(char) = chars.next_if(|char| !ends(char)) {
                        text.push(char);
                    }
                    tokens.push(Token { text, quoted: false, line });
                }
            }
        }
        Ok(Self { tokens, at: 0 })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The line of what comes next, or of the end.
    fn line(&self) -> usize {
        self.peek().or(self.tokens.last()).map_or(1, |token| token.line)
    }

    fn fault(&self, what: impl ToString) -> Fault {
        Fault::new(self.line(), what)
    }

    fn is_open(&self) -> bool {
        self.peek().is_some_and(|token| !token.quoted && token.text == "{")
    }

    /// Whether a closing brace comes next, which is then read.
    fn closes(&mut self) -> bool {
        let closes = self.peek().is_some_and(|token| !token.quoted && token.text == "}");
        self.at += usize::from(closes);
        closes
    }

    fn next(&mut self, expected: &str) -> Result<&Token, Fault> {
        if self.at == self.tokens.len() {
            return Err(self.fault(format!("the file ends before {expected}")));
        }
        self.at += 1;
        Ok(&self.tokens[self.at - 1])
    }

    fn word(&mut self, word: &str, otherwise: &str) -> Result<(), Fault> {
        let token = self.next(otherwise)?;
        if token.quoted || token.text != word {
            return Err(Fault::new(token.line, otherwise));
        }
        Ok(())
    }

    fn string(&mut self, expected: &str) -> Result<String, Fault> {
        let token = self.next(expected)?;
        if token.quoted {
            return Ok(token.text.clone());
        }
        Err(Fault::new(token.line, format!("\"{}\" instead of {expected} in quotes", token.text)))
    }

    fn count(&mut self, expected: &str) -> Result<usize, Fault> {
        let token = self.next(expected)?;
        let no_count =
            |_| Fault::new(token.line, format!("\"{}\" instead of {expected}", token.text));
        token.text.parse().map_err(no_count)
    }

    /// An integer, a decimal, or a fraction.
    fn number(&mut self, expected: &str) -> Result<f64, Fault> {
        let token = self.next(expected)?;
        let value = match token.text.split_once('/') {
            Some((above, below)) => above
                .parse::<f64>()
                .and_then(|above| below.parse::<f64>().map(|below| above / below)),
            None => token.text.parse(),
        };
        value.map_err(|_| {
            Fault::new(token.line, format!("\"{}\" instead of {expected}", token.text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payoffs_and_outcomes_give_the_same_game() {
        let payoffs = "NFG 1 R \"t\" { \"A\" \"B\" } { 2 3 }\n\"comment\"\n\n1 2 3 4 5 6 1/2 -8 9 1e1 11 12.5";
        let game = read(payoffs).unwrap();
        // Gambit's second row is the second strategy of the first player.
        assert_eq!(
            game.payoffs(),
            [1.0, 2.0, 5.0, 6.0, 9.0, 10.0, 3.0, 4.0, 0.5, -8.0, 11.0, 12.5]
        );
        let outcomes =
            "NFG 1 D \"t\" { \"A\" \"B\" }\n{ { \"1\" \"2\" }\n{ \"1\" \"2\" \"\" } }\n\n{
            { \"x\" 1, 2 } { \"\" 3, 4 } { \"\" 5, 6 } { \"\" 1/2, -8 }
            { \"\" 9, 10 } { \"\" 11, 12.5 } }\n1 2 3 4 5 6\n";
        assert_eq!(read(outcomes).unwrap(), game);
        assert_eq!(
            read(&outcomes.replace("1 2 3 4 5 6\n", "1 2 0 4 5 6")).unwrap().payoffs_of(1),
            [0.0, 0.0]
        );
    }

    #[test]
    fn faults_name_their_lines() {
        let head = "NFG 1 R \"t\" { \"A\" \"B\" } { 1 2 }\n";
        let fault = |rest: &str| read(&format!("{head}{rest}")).unwrap_err().to_string();
        assert_eq!(fault("1 2\n3"), "line 3: the file ends before payoffs of profile 2 of 2");
        assert_eq!(fault("1 2\n3 x"), "line 3: \"x\" instead of payoffs of profile 2 of 2");
        assert_eq!(fault("1 2\n3 4\n5"), "line 4: \"5\" behind the last of 2 profiles");
        let error = fault("1 2\n3 1/0");
        assert_eq!(
            error,
            "line 3: the payoff of player B in profile (1, 2) is not a finite number"
        );
        assert_eq!(fault("1 2\n3 nan"), error);
        assert_eq!(fault("{ { \"\" 1 2 } }\n1\n2"), "line 4: outcome 2, but there are only 1");
        let fault = read("NFG 2 R \"t\"").unwrap_err();
        assert_eq!(
            (fault.line, fault.what.as_str()),
            (1, "only version 1 of the format is known: NFG 1")
        );
    }
}

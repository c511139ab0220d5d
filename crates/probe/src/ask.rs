//! Asks. What to ask, when to ask again and what an answer means is decided elsewhere.

use std::time::Duration;

use cxone::{AccessToken, Client, ClientAuth, Error, RawAnswer, SignIn, TenantApi, TokenGrant};
use definition::Api;
use definition::tenant::{ApiAddress, Credentials, TenantSecret};
use jiff::Timestamp;

use crate::deep::DeepRun;
use crate::evidence::{Evidence, SignInSeen};
use crate::names::{Names, WORD};
use crate::observation::{Access, Observation, Seen, SeenLink, find_job, find_link, list_states};
use crate::pace::extraction_pause;
use crate::question::Question;
use crate::retry::{Retry, plan_retry};
use crate::usability::Usability;
use crate::{ProbePlan, Spoken};

/// Everything that was seen, and what only the screen may show.
pub(crate) async fn ask_tenant(
    secret: &TenantSecret,
    plan: &ProbePlan,
    now: &dyn Fn() -> Timestamp,
    wait: &impl AsyncFn(Duration),
) -> Result<(Evidence, Spoken), Error> {
    let names = Names::of_tenant(secret);
    let mut evidence = Evidence::new(describe_tenant(secret), plan.apis.clone());
    let mut spoken = Spoken::default();
    let tenant = TenantApi::open(secret, plan.source.clone())?;
    let client = match tenant.connect().await {
        Ok(client) => client,
        Err(error) => {
            evidence.sign_in.found = Usability::of_error(&error);
            spoken.add(None, &error.to_string());
            return Ok((evidence, spoken));
        }
    };
    let asker = Asker {
        client,
        secret,
        plan,
        names,
        now,
        wait,
    };
    let Some(token) = asker.sign_in(&mut evidence.sign_in, &mut spoken).await else {
        return Ok((evidence, spoken));
    };
    let mut pace = Pace {
        token,
        has_extracted: false,
    };
    asker.ask_all(&mut pace, &mut evidence, &mut spoken).await;
    asker.try_out(&mut pace, &mut evidence, &mut spoken).await;
    Ok((evidence, spoken))
}

fn describe_tenant(secret: &TenantSecret) -> SignInSeen {
    let (way, client) = match &secret.credentials {
        Credentials::Client(client) => ("client", Some(client)),
        Credentials::AccessKey(client, _) => ("client-and-access-key", Some(client)),
        Credentials::UserHub(_) => ("access-key", None),
    };
    SignInSeen {
        way,
        client_auth: client.map(|client| name_auth(client.auth)),
        has_issuer: matches!(secret.address.api, ApiAddress::Discovered { .. }),
        found: Usability::Yes,
        token: None,
        is_granted: false,
    }
}

fn name_auth(auth: ClientAuth) -> &'static str {
    match auth {
        ClientAuth::Basic => "basic",
        ClientAuth::BasicEncoded => "basic_encoded",
        ClientAuth::Post => "post",
    }
}

struct Asker<'a, W> {
    client: Client,
    secret: &'a TenantSecret,
    plan: &'a ProbePlan,
    names: Names,
    now: &'a dyn Fn() -> Timestamp,
    wait: &'a W,
}

/// What changes from call to call.
struct Pace {
    token: AccessToken,
    has_extracted: bool,
}

impl<W: AsyncFn(Duration)> Asker<'_, W> {
    async fn sign_in(&self, seen: &mut SignInSeen, spoken: &mut Spoken) -> Option<AccessToken> {
        let mut before = Vec::new();
        loop {
            let answer = self
                .client
                .ask_for_token(SignIn::from(&self.secret.credentials))
                .await;
            let token = self.describe(&answer, None);
            let retry = plan_retry(None, &token, &before, retry_after(&answer));
            let Some(Retry::After(pause)) = retry else {
                speak_refusal(None, &answer, spoken);
                seen.token = Some(token);
                let grant = answer
                    .and_then(|answer| TokenGrant::of_answer(&answer))
                    .ok();
                seen.is_granted = grant.is_some();
                return grant.map(|grant| grant.token);
            };
            before.push(token.status());
            (self.wait)(pause).await;
        }
    }

    async fn ask_all(&self, pace: &mut Pace, evidence: &mut Evidence, spoken: &mut Spoken) {
        let mut jobs: Vec<(Question, String)> = Vec::new();
        for question in Question::ALL {
            if !self.plan.apis.contains(&question.api()) {
                continue;
            }
            let job = jobs.iter().find(|(list, _)| question.list() == Some(*list));
            let job = job.map(|(_, id)| id.as_str());
            let (mut observation, answer) = self.ask(question, job, pace).await;
            speak_refusal(Some(question), &answer, spoken);
            // What a refusal has in it is no job, no link and no state of a job.
            if let (Ok(answer), Access::Open) = (&answer, observation.access()) {
                let link = find_link(answer.body()).filter(|_| job.is_some());
                if let Some((link, job)) = link.zip(job) {
                    let seen = self.look_at_link(question, job, &link, pace, spoken).await;
                    observation.link = Some(seen);
                }
                speak_states(question, answer, &observation, spoken);
                jobs.extend(find_job(answer.body()).map(|id| (question, id)));
            }
            evidence.observations.push(observation);
        }
    }

    /// Carries out what `--deep` asks for.
    async fn try_out(&self, pace: &mut Pace, evidence: &mut Evidence, spoken: &mut Spoken) {
        for definition in &self.plan.deep {
            let api = definition.dialect().api();
            self.wait_for_turn(api, pace).await;
            let (client, now) = (&self.client, (self.now)());
            let (run, said) =
                DeepRun::try_out(client, &pace.token, definition, now, self.wait).await;
            spoken.add(Some(api), &said);
            evidence.deep.push(run);
        }
    }

    /// Looks at a link without following it: whether its host is allowed, and whether data extraction gives another one.
    async fn look_at_link(
        &self,
        question: Question,
        job: &str,
        link: &str,
        pace: &mut Pace,
        spoken: &mut Spoken,
    ) -> SeenLink {
        let allowed = self.client.check_link(link);
        if let Err(error) = &allowed {
            spoken.add(Some(question.api()), &error.to_string());
        }
        let again = if question == Question::Extraction {
            let (_, answer) = self.ask(question, Some(job), pace).await;
            answer.ok().and_then(|answer| find_link(answer.body()))
        } else {
            None
        };
        SeenLink {
            allowed: allowed.map_or_else(|error| Usability::of_error(&error), |()| Usability::Yes),
            is_fresh: again.map(|again| again != link),
        }
    }

    /// Asks until there is nothing to gain by asking again.
    async fn ask(
        &self,
        question: Question,
        job: Option<&str>,
        pace: &mut Pace,
    ) -> (Observation, Result<RawAnswer, Error>) {
        let mut tries_before = Vec::new();
        loop {
            self.wait_for_turn(question.api(), pace).await;
            let answer = self.ask_once(question, job, &pace.token).await;
            let seen = self.describe(&answer, Some(question));
            let retry = plan_retry(Some(question), &seen, &tries_before, retry_after(&answer));
            let Some(retry) = retry else {
                let observation = Observation {
                    question,
                    path: question.path_without_ids(self.plan.api_version),
                    parameters: question.parameters(),
                    is_known_job: question.list().map(|_| job.is_some()),
                    link: None,
                    tries_before,
                    seen,
                };
                return (observation, answer);
            };
            self.prepare(retry, pace).await;
            tries_before.push(seen.status());
        }
    }

    async fn ask_once(
        &self,
        question: Question,
        job: Option<&str>,
        token: &AccessToken,
    ) -> Result<RawAnswer, Error> {
        let path = question.path(self.plan.api_version, job);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let query = question.query((self.now)());
        let query = query.iter().map(|(name, value)| (*name, value.as_str()));
        let query: Vec<(&str, &str)> = query.collect();
        self.client.ask(token, &path, &query).await
    }

    async fn prepare(&self, retry: Retry, pace: &mut Pace) {
        match retry {
            Retry::After(pause) => (self.wait)(pause).await,
            Retry::WithNewToken => {
                let granted = self.client.sign_in(&self.secret.credentials).await;
                if let Ok(grant) = granted {
                    pace.token = grant.token;
                }
            }
        }
    }

    /// Calls of data extraction are kept as far apart as the pipeline keeps them.
    async fn wait_for_turn(&self, api: Api, pace: &mut Pace) {
        if api != Api::DataExtraction {
            return;
        }
        if pace.has_extracted {
            (self.wait)(extraction_pause()).await;
        }
        pace.has_extracted = true;
    }

    fn describe(&self, answer: &Result<RawAnswer, Error>, question: Option<Question>) -> Seen {
        Seen::describe(answer, question, &self.names, (self.now)().into())
    }
}

fn retry_after(answer: &Result<RawAnswer, Error>) -> Option<Duration> {
    answer.as_ref().ok()?.retry_after()
}

/// What CXone or the network says of a refusal.
fn speak_refusal(
    question: Option<Question>,
    answer: &Result<RawAnswer, Error>,
    spoken: &mut Spoken,
) {
    let api = question.map(Question::api);
    match answer {
        Err(error) => spoken.add(api, &error.to_string()),
        Ok(answer) => {
            let (code, text) = answer.explanation();
            let is_expected =
                answer.status() == 404 && question.is_some_and(|it| it.list().is_some());
            if answer.status() >= 400 && !is_expected && !(code.is_empty() && text.is_empty()) {
                spoken.add(api, &format!("{} {code} {text}", answer.status()));
            }
        }
    }
}

/// The words of states that the client has no meaning for.
fn speak_states(question: Question, answer: &RawAnswer, seen: &Observation, spoken: &mut Spoken) {
    let api = question.api();
    let words = list_states(question, answer.body());
    for word in words
        .iter()
        .filter(|word| !cxone::is_known_state(api, word))
    {
        let answer = seen.seen.answer();
        let is_told = answer.is_some_and(|answer| answer.states.contains(word));
        let told = if is_told {
            String::new()
        } else {
            format!(" (the file says only {WORD})")
        };
        let said = format!("the state \"{word}\" is not known{told}");
        spoken.add(Some(api), &said);
    }
}

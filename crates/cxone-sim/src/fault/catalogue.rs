//! The table of faults.

/// Where a fault acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// It answers instead of the tenant; nothing is processed.
    Answer,
    /// The request is processed; the answer is spoilt on its way.
    Wire,
    /// It changes what the token endpoint says.
    Token,
    /// It changes the tenant before the request is processed.
    Tenant,
    /// It belongs to a run from its start.
    Run,
    /// It belongs to a run's pages and rows from its start.
    Page,
}

/// One fault of the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The ids of the failure catalogue that it brings about.
    pub failures: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it takes besides `times`, `at`, `run`, `page` and `on`.
    pub parameters: &'static [Parameter],
    pub(crate) layer: Layer,
    pub(crate) on: &'static [&'static str],
    pub(crate) forever: bool,
    pub(crate) page: Option<u64>,
}

/// A parameter of a fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value when it isn't given; where this is a number, only numbers are taken.
    pub default: &'static str,
    /// The values that it may have; empty means any.
    pub choices: &'static [&'static str],
}

impl Entry {
    const fn forever(mut self) -> Self {
        self.forever = true;
        self
    }

    /// It takes `page`, and this is its default.
    const fn page(mut self, page: u64) -> Self {
        self.page = Some(page);
        self
    }
}

type Parameters = &'static [Parameter];

const fn entry(
    name: &'static str,
    failures: &'static str,
    layer: Layer,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    Entry {
        name,
        failures,
        about,
        parameters,
        layer,
        on,
        forever: false,
        page: None,
    }
}

const fn answer(
    name: &'static str,
    failures: &'static str,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Answer, on, about, parameters)
}

const fn wire(
    name: &'static str,
    failures: &'static str,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Wire, on, about, parameters)
}

const fn token(
    name: &'static str,
    failures: &'static str,
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Token, &["token"], about, parameters).forever()
}

const fn tenant(
    name: &'static str,
    failures: &'static str,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Tenant, on, about, parameters)
}

const fn run(
    name: &'static str,
    failures: &'static str,
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Run, &[], about, parameters)
}

const fn page(
    name: &'static str,
    failures: &'static str,
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Page, &[], about, parameters)
}

const fn value(name: &'static str, default: &'static str) -> Parameter {
    Parameter {
        name,
        default,
        choices: &[],
    }
}

const fn choice(name: &'static str, choices: &'static [&'static str]) -> Parameter {
    Parameter {
        name,
        default: choices[0],
        choices,
    }
}

const API: &[&str] = &["api"];
const DATA: &[&str] = &["data"];
const RETRY_AFTER: Parameter = choice(
    "retry-after",
    &[
        "seconds", "imf", "rfc850", "asctime", "past", "negative", "fraction", "word", "huge",
        "empty", "none",
    ],
);

pub(crate) const ENTRIES: &[Entry] = &[
    // Rate, availability, transport.
    answer(
        "throttled",
        "A01 A02 A03 A04 A05",
        API,
        "429, with Retry-After in any form or without",
        &[RETRY_AFTER, value("seconds", "2")],
    ),
    answer(
        "unavailable",
        "A06 A07",
        API,
        "a 5xx with a JSON, an HTML or no body",
        &[
            value("status", "503"),
            choice("body", &["json", "html", "none"]),
        ],
    ),
    answer("html-200", "A08", API, "200 with a login page", &[]),
    answer(
        "empty",
        "A09",
        API,
        "an answer without a body",
        &[value("status", "204")],
    ),
    answer(
        "refused",
        "A10 A11",
        API,
        "the connection ends before any answer; nothing was processed",
        &[choice("how", &["close", "reset"])],
    ),
    answer(
        "stalled",
        "A20",
        API,
        "no answer for so long, then the connection ends",
        &[value("ms", "2000")],
    ),
    answer("non-http", "A22", API, "bytes that are not HTTP", &[]),
    answer(
        "redirect",
        "A23",
        API,
        "a redirect to another host, which counts who follows",
        &[value("status", "307")],
    ),
    answer(
        "bomb",
        "A21",
        DATA,
        "a compressed page that swells to so many MiB of spaces",
        &[value("mib", "64")],
    ),
    wire(
        "reset-mid-body",
        "A12",
        DATA,
        "a TCP reset after so many bytes of the body",
        &[value("bytes", "100")],
    ),
    wire(
        "short-body",
        "A13",
        DATA,
        "Content-Length promises more bytes than follow",
        &[value("missing", "10")],
    ),
    wire(
        "unterminated",
        "A14",
        DATA,
        "a chunked body without its last chunk",
        &[],
    ),
    wire(
        "close-delimited",
        "A15",
        DATA,
        "a body that only the connection's end delimits, cut after so many bytes",
        &[value("bytes", "100")],
    ),
    wire(
        "gzip-truncated",
        "A16",
        DATA,
        "gzip that lacks its last bytes",
        &[value("missing", "8")],
    ),
    wire(
        "gzip-bad-crc",
        "A16",
        DATA,
        "gzip with a wrong checksum",
        &[],
    ),
    wire(
        "gzip-members",
        "A17",
        DATA,
        "gzip in so many members",
        &[value("members", "3")],
    ),
    wire("gzip-garbage", "A18", DATA, "gzip followed by garbage", &[]),
    wire("gzip-plain", "A18", DATA, "says gzip, is plain", &[]),
    wire(
        "drip",
        "A19",
        DATA,
        "so many bytes at a time with a pause between, to a limit of time",
        &[
            value("bytes", "1"),
            value("every-ms", "60"),
            value("limit-ms", "10000"),
        ],
    ),
    wire(
        "hang",
        "A20",
        DATA,
        "headers, then nothing for so long, then the connection ends",
        &[value("ms", "2000")],
    ),
    wire(
        "huge-headers",
        "A22",
        API,
        "so many KiB of headers",
        &[value("kib", "1024")],
    ),
    wire(
        "conflicting-length",
        "A22",
        API,
        "two Content-Lengths that differ",
        &[],
    ),
    wire(
        "stale-keep-alive",
        "A24 A40",
        &["start-run"],
        "a kept connection ends under a request that was processed",
        &[],
    ),
    wire(
        "clock-skew",
        "A37",
        &["any"],
        "the Date header is off by so many seconds",
        &[
            value("seconds", "3600"),
            choice("direction", &["ahead", "behind"]),
        ],
    )
    .forever(),
    // Authentication.
    tenant(
        "token-expires",
        "A30 A35",
        API,
        "all tokens end after so many calls, so that the next one gets 401",
        &[value("after", "5")],
    ),
    answer("unauthorized", "A30", API, "401, whatever the token", &[]).forever(),
    answer("forbidden", "A31", API, "403, whatever the token", &[]).forever(),
    answer(
        "invalid-client",
        "A33",
        &["token"],
        "the client's credentials are refused",
        &[value("status", "401")],
    )
    .forever(),
    token(
        "expires-in",
        "A34",
        "expires_in in another form",
        &[choice(
            "as",
            &[
                "zero", "negative", "null", "missing", "string", "float", "huge", "word",
            ],
        )],
    ),
    token(
        "token-type",
        "A36",
        "another token_type",
        &[choice("as", &["mac", "lower", "missing"])],
    ),
    token(
        "token-text",
        "A36 A84",
        "a token that no header can carry, or none",
        &[choice(
            "as",
            &["crlf", "nul", "huge", "empty", "missing", "number"],
        )],
    ),
    // Schedules.
    tenant(
        "duplicate-schedules",
        "A41",
        &["list-schedules"],
        "so many schedules of the name asked for exist already",
        &[value("count", "2")],
    ),
    tenant(
        "similar-schedules",
        "A41",
        &["list-schedules"],
        "the filter also finds names that contain the name asked for",
        &[value("count", "3")],
    ),
    tenant(
        "schedules-paged",
        "A41",
        &["list-schedules"],
        "the list of schedules comes in pages of so many",
        &[value("size", "1")],
    )
    .forever(),
    answer(
        "schedules-hidden",
        "A41",
        &["list-schedules"],
        "the list is empty, whatever there is",
        &[],
    ),
    answer(
        "definition-refused",
        "A54",
        &["create-schedule", "update-schedule"],
        "400 on the definition",
        &[value(
            "text",
            "report.metrics: \"talkTime\" is not valid for report type \"ic\"",
        )],
    )
    .forever(),
    // Runs.
    wire(
        "start-run-ambiguous",
        "A40",
        &["start-run"],
        "the run is started, and the connection ends without an answer",
        &[choice("how", &["close", "reset"])],
    ),
    run(
        "run-id",
        "A83 A85",
        "the run gets a hostile id",
        &[value("id", "../../run")],
    ),
    run(
        "slow-run",
        "A46",
        "the run takes so many seconds",
        &[value("seconds", "1200")],
    ),
    run(
        "processing-forever",
        "A46",
        "the run stays in processing",
        &[],
    ),
    run("queued-forever", "A46", "the run stays in the queue", &[]),
    run(
        "slow-if-wide",
        "A46",
        "runs over windows longer than so many minutes never end",
        &[value("minutes", "720")],
    )
    .forever(),
    run(
        "slow-if-column",
        "A46",
        "runs with this metric or dimension never end",
        &[value("name", "queueName")],
    )
    .forever(),
    run(
        "run-fails",
        "A44",
        "the run fails with a message, padded to so many bytes",
        &[
            value("message", "query exceeded the execution limit"),
            value("bytes", "0"),
            choice("control", &["no", "yes"]),
        ],
    ),
    run(
        "run-vanishes",
        "A49",
        "404 after so many looks",
        &[value("after", "1"), value("status", "404")],
    ),
    run(
        "poll-early-404",
        "A49",
        "404 for the first looks after the start",
        &[value("looks", "2")],
    ),
    run(
        "state-unknown",
        "A43",
        "a state that nobody knows, for so many looks (0: always)",
        &[value("state", "archiving"), value("looks", "2")],
    ),
    run(
        "state-case",
        "A43",
        "states in another case",
        &[choice("case", &["upper", "title"])],
    ),
    run(
        "state-null",
        "A43",
        "no state, for so many looks (0: always)",
        &[
            choice("as", &["null", "missing", "number"]),
            value("looks", "2"),
        ],
    ),
    run(
        "state-back",
        "A45",
        "after it was seen completed, processing for so many looks",
        &[value("looks", "1")],
    ),
    run(
        "completed-empty",
        "A50",
        "the run completes without rows",
        &[],
    ),
    run(
        "completed-bare",
        "A51",
        "completed, neither data nor downloadUrl",
        &[],
    ),
    run(
        "completed-both",
        "A52",
        "completed with data and downloadUrl, which agree or not",
        &[choice("agree", &["yes", "no"])],
    ),
    run(
        "restated",
        "A50 A67",
        "the run has other metrics than other runs of its window",
        &[value("revision", "1")],
    ),
    answer(
        "cancel-refused",
        "A47",
        &["cancel"],
        "DELETE answers an error and does nothing",
        &[value("status", "405")],
    ),
    run(
        "cancel-ignored",
        "A47",
        "DELETE answers 204 and the run goes on",
        &[],
    ),
    run(
        "cancel-fails-run",
        "A47",
        "a cancelled run is shown as failed instead of 404",
        &[],
    ),
    run(
        "cancel-completes",
        "A48",
        "the run completes while it is being cancelled",
        &[choice("answer", &["409", "204"])],
    ),
    // Paging.
    page(
        "total-changes",
        "A53",
        "total differs from this page on",
        &[value("by", "1")],
    )
    .page(1),
    page(
        "total-wrong",
        "A53 A65",
        "total is too high on every page",
        &[value("by", "1")],
    ),
    page(
        "token-repeats",
        "A60",
        "this page names itself as the next",
        &[],
    )
    .page(1),
    page(
        "token-cycles",
        "A60",
        "this page names an earlier one as the next",
        &[value("back", "1")],
    )
    .page(2),
    page(
        "page-token-expired",
        "A61",
        "this page and those after it are refused",
        &[value("status", "410")],
    )
    .page(1),
    page(
        "token-empty",
        "A62",
        "the last page has an empty token, or none",
        &[choice("as", &["empty", "missing"])],
    ),
    page(
        "token-weird",
        "A63",
        "tokens full of what a query string must escape",
        &[],
    ),
    page(
        "token-huge",
        "A63",
        "tokens of so many bytes",
        &[value("bytes", "102400")],
    ),
    page(
        "empty-page",
        "A64",
        "this page has no rows and a token",
        &[],
    )
    .page(1),
    // Rows.
    page(
        "duplicates",
        "A65",
        "this page begins with the last rows of the one before",
        &[value("rows", "3")],
    )
    .page(1),
    page(
        "shifted",
        "A65",
        "the same, and as many of its own rows are missing",
        &[value("rows", "3")],
    )
    .page(1),
    page(
        "conflict",
        "A66",
        "rows with keys of the page before and other metrics",
        &[value("rows", "1")],
    )
    .page(1),
    page(
        "order-changes",
        "A67",
        "this page's rows come in reverse whenever it is read again",
        &[],
    )
    .page(0),
    page(
        "rows-change",
        "A67",
        "this page's rows have other metrics whenever it is read again",
        &[],
    )
    .page(0),
    page(
        "schema-drift",
        "A68",
        "from this page on a column is new, missing, renamed or of another type",
        &[choice("as", &["new", "missing", "renamed", "retyped"])],
    )
    .page(1),
    page("nested", "A69", "rows with objects and arrays", &[]).page(0),
    page(
        "huge-row",
        "A70",
        "a row of so many bytes",
        &[value("bytes", "17825792")],
    )
    .page(0),
    page(
        "depth-bomb",
        "A71",
        "a row with so many arrays in each other",
        &[value("depth", "100000")],
    )
    .page(0),
    page("invalid-utf8", "A72", "a text that is not UTF-8", &[]).page(0),
    page("lone-surrogate", "A72", "half of a surrogate pair", &[]).page(0),
    page(
        "bom",
        "A72",
        "a byte order mark at the start of the body",
        &[],
    )
    .page(0),
    page("odd-numbers", "A73", "numbers that no float holds", &[]).page(0),
    page(
        "nan",
        "A74",
        "a number that is not JSON",
        &[choice(
            "as",
            &["NaN", "Infinity", "-Infinity", "+1", "01", ".5"],
        )],
    )
    .page(0),
    page(
        "duplicate-keys",
        "A75",
        "a column twice in a row",
        &[choice("column", &["key", "other"])],
    )
    .page(0),
    page(
        "fields-first",
        "A76",
        "the token before the rows, and unknown fields around them",
        &[],
    )
    .page(0),
    page(
        "pretty",
        "A76",
        "JSON over many lines, inside rows too",
        &[],
    )
    .page(0),
    page(
        "data-shape",
        "A51",
        "data that is not an array of objects",
        &[choice("as", &["null", "object", "string", "rows"])],
    )
    .page(0),
    page(
        "absent",
        "A78",
        "metrics that are null, empty texts and missing columns",
        &[],
    )
    .page(0),
    // CSV.
    page("csv-lf", "A77", "records end in LF alone", &[]),
    page(
        "csv-ragged",
        "A77",
        "a record has a field more or less",
        &[choice("as", &["more", "less"])],
    )
    .page(0),
    page(
        "csv-repeated-header",
        "A77",
        "the header again, the same or another",
        &[choice("as", &["same", "other"])],
    )
    .page(1),
    page(
        "csv-newline",
        "A77",
        "a quoted field with line breaks and something like a header",
        &[],
    )
    .page(0),
    page(
        "csv-bom",
        "A72 A77",
        "a byte order mark before the header",
        &[],
    ),
    page("csv-unclosed", "A77", "a quote that is never closed", &[]).page(0),
    // Downloads.
    page(
        "download-url",
        "A80 A82",
        "a downloadUrl that nobody should follow",
        &[choice(
            "to",
            &[
                "other-host",
                "ip",
                "metadata",
                "mapped",
                "ipv6",
                "decimal",
                "octal",
                "hex",
                "full-width",
                "http",
                "port",
                "userinfo",
                "backslash",
                "fragment",
                "suffix",
                "file",
                "relative",
                "empty",
                "null",
                "decoy",
            ],
        )],
    ),
    answer(
        "download-expired",
        "A61",
        &["download"],
        "the download link has expired",
        &[value("status", "403")],
    ),
];

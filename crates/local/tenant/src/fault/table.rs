//! The table of faults.

use crate::apis::Api;

use super::catalogue::{
    API, DATA, ENCODED, Entry, FILES, GUIDE, JOBS, PAGES, RETRY_AFTER, answer, choice, page, run,
    tenant, token, value, wire,
};

// One line for each fault, so that the table can be read as one.
/// The faults of the guide's API; most of them can happen to the others too.
#[rustfmt::skip]
pub(super) const GUIDES: &[Entry] = &[
    // Rate, availability, transport.
    answer("throttled", "A01 A02 A03 A04 A05", API, "429, with Retry-After in any form or without", &[RETRY_AFTER, value("seconds", "2")]),
    answer("unavailable", "A06 A07", API, "a 5xx with a JSON, an HTML or no body", &[value("status", "503"), choice("body", &["json", "html", "none"])]),
    answer("html-200", "A08", API, "200 with a login page", &[]),
    answer("empty", "A09", API, "an answer without a body", &[value("status", "204")]),
    answer("refused", "A10 A11", API, "the connection ends before any answer; nothing was processed", &[choice("how", &["close", "reset"])]),
    answer("stalled", "A20", API, "no answer for `ms` ms, then the connection ends", &[value("ms", "2000")]),
    answer("non-http", "A22", API, "bytes that are not HTTP", &[]),
    answer("redirect", "A23", API, "a redirect to another host, which counts the clients that follow it", &[value("status", "307")]),
    answer("bomb", "A21", DATA, "a compressed page that expands to `mib` MiB of spaces", &[value("mib", "64")]),
    wire("reset-mid-body", "A12", DATA, "a TCP reset after `bytes` bytes of the body", &[value("bytes", "100")]),
    wire("short-body", "A13", DATA, "Content-Length is larger than the body by `missing` bytes", &[value("missing", "10")]),
    wire("unterminated", "A14", DATA, "a chunked body without its last chunk", &[]),
    wire("close-delimited", "A15", DATA, "a body without a length that ends with the connection, cut after `bytes` bytes", &[value("bytes", "100")]),
    wire("gzip-truncated", "A16", DATA, "gzip without its last `missing` bytes", &[value("missing", "8")]),
    wire("gzip-bad-crc", "A16", DATA, "gzip with a wrong checksum", &[]),
    wire("gzip-members", "A17", DATA, "gzip in `members` members", &[value("members", "3")]),
    wire("gzip-garbage", "A18", DATA, "gzip followed by garbage", &[]),
    wire("gzip-plain", "A18", DATA, "Content-Encoding says gzip, but the body is plain", &[]),
    wire("drip", "A19", DATA, "`bytes` bytes at a time with pauses of `every-ms` ms, for at most `limit-ms` ms", &[value("bytes", "1"), value("every-ms", "60"), value("limit-ms", "10000")]),
    wire("hang", "A20", DATA, "headers, then nothing for `ms` ms, then the connection ends", &[value("ms", "2000")]),
    wire("huge-headers", "A22", API, "`kib` KiB of headers", &[value("kib", "1024")]),
    wire("conflicting-length", "A22", API, "two Content-Lengths that differ", &[]),
    wire("stale-keep-alive", "A24 A40", &["start-run"], "a reused connection ends without an answer, although the request was processed", &[]),
    wire("clock-skew", "A37", &["any"], "the Date header is wrong by `seconds` seconds", &[value("seconds", "3600"), choice("direction", &["ahead", "behind"])]).forever(),
    // Authentication.
    tenant("token-expires", "A30 A35", API, "all tokens expire after `after` calls, so that the next call gets 401", &[value("after", "5")]),
    answer("unauthorized", "A30", API, "401, whatever the token", &[]).forever(),
    answer("forbidden", "A31", API, "403, whatever the token", &[]).forever(),
    answer("invalid-client", "A33", &["token"], "the client's credentials are refused", &[value("status", "401")]).forever(),
    tenant("token-young", "D08", API, "a token is refused until it is `seconds` old in real time, as where clocks differ", &[value("seconds", "2")]).forever(),
    token("client-auth", "D09", "the client's id and secret are taken in this form alone: Basic as they are, Basic form-encoded, or in the form", &[choice("as", &["raw", "encoded", "form"])]),
    token("expires-in", "A34", "expires_in in another form", &[choice("as", &["zero", "negative", "null", "missing", "string", "float", "huge", "word"])]),
    token("token-type", "A36", "another token_type", &[choice("as", &["mac", "lower", "missing"])]),
    token("token-text", "A36 A84", "a token that no header can carry, or none", &[choice("as", &["crlf", "nul", "huge", "empty", "missing", "number"])]),
    // Schedules.
    tenant("duplicate-schedules", "A41", &["list-schedules"], "`count` schedules of the requested name exist already", &[value("count", "2")]).only(GUIDE),
    tenant("similar-schedules", "A41", &["list-schedules"], "the filter also finds `count` names that contain the requested one", &[value("count", "3")]).only(GUIDE),
    tenant("schedules-paged", "A41", &["list-schedules"], "the list of schedules comes in pages of `size`", &[value("size", "1")]).forever().only(GUIDE),
    answer("schedules-hidden", "A41", &["list-schedules"], "the list of schedules is empty, although there are some", &[]).only(GUIDE),
    tenant("schedules-form", "D16", &["list-schedules"], "the list of schedules is the answer itself, or is called `items`", &[choice("as", &["bare", "renamed"])]).forever().only(GUIDE),
    answer("definition-refused", "A54", &["create-schedule", "update-schedule"], "400 on the definition", &[value("text", "report.metrics: \"talkTime\" is not valid for report type \"ic\"")]).forever().only(GUIDE),
    // Runs.
    wire("start-run-ambiguous", "A40", &["start-run"], "the run is started, and the connection ends without an answer", &[choice("how", &["close", "reset"])]).only(JOBS),
    run("run-id", "A83 A85", "the run gets a hostile id", &[value("id", "../../run")]).only(JOBS),
    run("slow-run", "A46", "the run takes `seconds` seconds", &[value("seconds", "1200")]).only(JOBS),
    run("processing-forever", "A46", "the run stays in processing", &[]).only(JOBS),
    run("queued-forever", "A46", "the run stays in the queue", &[]).only(JOBS),
    run("slow-if-wide", "A46", "runs over windows longer than `minutes` minutes never end", &[value("minutes", "720")]).forever().only(JOBS),
    run("slow-if-column", "A46", "runs with the metric or dimension `name` never end", &[value("name", "queueName")]).forever().only(JOBS),
    run("run-fails", "A44", "the run fails with `message`, padded to `bytes` bytes; its state is the API's word for it, or `word`", &[value("message", "query exceeded the execution limit"), value("bytes", "0"), choice("control", &["no", "yes"]), value("word", "")]).only(JOBS),
    run("run-vanishes", "A49", "404 after `after` polls", &[value("after", "1"), value("status", "404")]).only(JOBS),
    run("poll-early-404", "A49", "404 for the first `looks` polls after the start", &[value("looks", "2")]).only(JOBS),
    run("state-unknown", "A43", "an unknown state, for `looks` polls (0: always)", &[value("state", "archiving"), value("looks", "2")]).only(JOBS),
    run("state-case", "A43", "states in another case", &[choice("case", &["upper", "title", "lower"])]).only(JOBS),
    run("state-null", "A43", "no state, for `looks` polls (0: always)", &[choice("as", &["null", "missing", "number"]), value("looks", "2")]).only(JOBS),
    run("state-back", "A45", "after a poll that found it completed, processing again for `looks` polls", &[value("looks", "1")]).only(JOBS),
    run("completed-empty", "A50", "the run completes without rows", &[]),
    run("completed-bare", "A51", "completed, with neither data nor downloadUrl", &[]).only(JOBS),
    run("completed-both", "A52", "completed, with both data and downloadUrl, which agree or not", &[choice("agree", &["yes", "no"])]).only(GUIDE),
    run("loose-forms", "D16", "the id of the run is a number, if it has digits alone, and the total is a text", &[]).only(GUIDE),
    run("restated", "A50 A67", "the run has other metrics than other runs of its window", &[value("revision", "1")]),
    run("late-rows", "D07", "runs that start less than `hours` hours after the end of their window lack its last `rows` rows, and have other metrics than later ones", &[value("hours", "12"), value("rows", "100")]).forever(),
    answer("cancel-refused", "A47", &["cancel"], "DELETE answers an error and does nothing", &[value("status", "405")]).only(GUIDE),
    run("cancel-ignored", "A47", "DELETE answers 204 and the run goes on", &[]).only(GUIDE),
    run("cancel-fails-run", "A47", "a cancelled run is shown as failed instead of 404", &[]).only(GUIDE),
    run("cancel-completes", "A48", "the run completes while it is being cancelled", &[choice("answer", &["409", "204"])]).only(GUIDE),
    // Paging.
    page("total-changes", "A53", "total differs by `by` from this page on", &[value("by", "1")]).page(1).only(PAGES),
    page("total-wrong", "A53 A65", "total is too high by `by` on every page", &[value("by", "1")]).only(PAGES),
    page("token-repeats", "A60", "this page names itself as the next", &[]).page(1).only(PAGES),
    page("token-cycles", "A60", "this page names the page `back` pages earlier as the next", &[value("back", "1")]).page(2).only(PAGES),
    page("page-token-expired", "A61", "this page and those after it are refused", &[value("status", "410")]).page(1).only(GUIDE),
    page("token-empty", "A62", "the last page has an empty token, or none", &[choice("as", &["empty", "missing"])]).only(PAGES),
    page("token-weird", "A63", "tokens full of what a query string must escape", &[]).only(GUIDE),
    page("token-huge", "A63", "tokens of `bytes` bytes", &[value("bytes", "102400")]).only(GUIDE),
    page("empty-page", "A64", "this page has no rows and a token", &[]).page(1).only(GUIDE),
    // Rows.
    page("duplicates", "A65", "this page begins with the last `rows` rows of the page before", &[value("rows", "3")]).page(1),
    page("shifted", "A65", "like `duplicates`, and as many of its own rows are missing", &[value("rows", "3")]).page(1),
    page("conflict", "A66", "`rows` rows with keys of the page before and other metrics", &[value("rows", "1")]).page(1),
    page("order-changes", "A67", "this page's rows come in reverse whenever it is read again", &[]).page(0).only(PAGES),
    page("rows-change", "A67", "this page's rows have other metrics whenever it is read again", &[]).page(0).only(PAGES),
    page("schema-drift", "A68", "from this page on a column is new, missing, renamed, of another type, null or an empty text", &[choice("as", &["new", "missing", "renamed", "retyped", "nulled", "emptied"])]).page(1).only(PAGES),
    page("nested", "A69", "rows with objects and arrays", &[]).page(0).only(PAGES),
    page("huge-row", "A70", "a row of `bytes` bytes", &[value("bytes", "17825792")]).page(0).only(PAGES),
    page("depth-bomb", "A71", "a row with `depth` nested arrays", &[value("depth", "100000")]).page(0).only(PAGES),
    page("invalid-utf8", "A72", "a text that is not UTF-8", &[]).page(0).only(PAGES),
    page("lone-surrogate", "A72", "half of a UTF-16 surrogate pair", &[]).page(0).only(PAGES),
    page("bom", "A72", "a byte order mark at the start of the body", &[]).page(0).only(PAGES),
    page("odd-numbers", "A73", "numbers that no floating-point number holds exactly", &[]).page(0).only(PAGES),
    page("nan", "A74", "a number that is not JSON", &[choice("as", &["NaN", "Infinity", "-Infinity", "+1", "01", ".5"])]).page(0).only(PAGES),
    page("duplicate-keys", "A75", "a row that has a column twice", &[choice("column", &["key", "other"])]).page(0).only(PAGES),
    page("fields-first", "A76", "the token before the rows, and unknown fields around them", &[]).page(0).only(GUIDE),
    page("pretty", "A76", "JSON over many lines, inside rows too", &[]).page(0).only(PAGES),
    page("data-shape", "A51", "data that is not an array of objects", &[choice("as", &["null", "object", "string", "rows"])]).page(0).only(GUIDE),
    page("absent", "A78", "metrics that are null, empty texts and missing columns", &[]).page(0).only(PAGES),
    // CSV.
    page("csv-lf", "A77", "records end in LF alone", &[]).only(FILES),
    page("csv-ragged", "A77", "a record has a field more or less", &[choice("as", &["more", "less"])]).page(0).only(FILES),
    page("csv-repeated-header", "A77", "the header again, the same or another", &[choice("as", &["same", "other"])]).page(1).only(FILES),
    page("csv-newline", "A77", "a quoted field with line breaks and something like a header", &[]).page(0).only(FILES),
    page("csv-bom", "A72 A77", "a byte order mark before the header", &[]).only(FILES),
    page("csv-unclosed", "A77", "a quote that is never closed", &[]).page(0).only(FILES),
    page("csv-stray-quote", "D03", "a text of the fourth record of the page has a quote within it, unquoted; a text of the second one begins with a quote that is never closed, or goes on behind the quote that closes it; or one of the third record ends with a quote, as if it closed the one of the second", &[choice("as", &["swallowing", "ending", "behind", "within"])]).page(0).only(FILES),
    page("csv-foreign", "D19", "semicolons instead of commas, lines with a title before the header, or no header", &[choice("as", &["semicolons", "title", "no-header"])]).only(FILES),
    page("file-type", "D17", "the file comes as this type", &[value("as", "application/vnd.ms-excel")]).only(FILES).forever(),
    page("file-gzip", "D17", "the file is a gzip, and no header says so: the answer, or what stands in it as base64", &[choice("of", &["answer", "base64"])]).only(FILES).forever(),
    // Downloads.
    page("link-host", "D04 D05", "links name this host", &[value("host", "api-b32.nice-incontact.com")]).only(FILES).forever(),
    page("download-url", "A80 A82", "a downloadUrl that a client must not follow", &[choice("to", &["other-host", "ip", "metadata", "mapped", "ipv6", "decimal", "octal", "hex", "full-width", "http", "port", "userinfo", "backslash", "fragment", "suffix", "file", "relative", "empty", "null", "decoy"])]).only(FILES),
    answer("download-expired", "A61", &["download"], "the download link has expired", &[value("status", "403")]).only(FILES),
];

const REPORT_JOBS: &[Api] = &[Api::ReportJobs];
const EXTRACTION: &[Api] = &[Api::DataExtraction];
const DOWNLOAD: &[Api] = &[Api::DataDownload];
const CONTACTS: &[Api] = &[Api::Contacts];

/// The faults that only the published APIs have.
#[rustfmt::skip]
pub(super) const PUBLISHED: &[Entry] = &[
    // Signing in.
    answer("refresh-refused", "P01", &["token"], "refresh tokens are refused; other grants work", &[value("status", "400")]).forever(),
    answer("discovery-404", "P02", &["discovery"], "the issuer knows no such tenant", &[]).forever(),
    tenant("discovery-foreign", "P03", &["discovery"], "the issuer names another host as the API's", &[choice("to", &["decoy", "other-host", "http", "userinfo", "ip", "suffix", "missing"])]).forever(),
    // Report jobs.
    run("job-form", "P10", "the job is in jobResult, or it is not, whatever the version", &[choice("as", &["wrapped", "flat"])]).only(REPORT_JOBS).forever(),
    run("result-url-late", "P11", "finished, but without a link for `looks` polls", &[value("looks", "1")]).only(REPORT_JOBS),
    run("result-gone", "P12", "the result is deleted after `after` polls of the finished job", &[value("after", "0"), value("status", "409")]).only(REPORT_JOBS),
    answer("file-exists", "P13", &["start-run"], "409: there is a file of this name", &[value("status", "409")]).only(REPORT_JOBS),
    answer("queue-full", "P14", &["start-run"], "the queue takes no more jobs", &[value("status", "429")]).only(REPORT_JOBS),
    // Files.
    page("total-row", "P15", "a row of totals at the end", &[value("label", "Total")]).only(FILES).forever(),
    page("csv-doubled-crlf", "P16", "line ends are doubled", &[choice("as", &["blank-lines", "cr"])]).only(FILES).forever(),
    page("csv-duplicate-columns", "P17", "the last two columns have the same name: the last was renamed, or a copy was added", &[choice("as", &["renamed", "added"])]).only(FILES).forever(),
    page("csv-drift", "P1A", "a column is new, missing, renamed, in another place or empty", &[choice("as", &["new", "missing", "renamed", "moved", "emptied"])]).only(FILES).forever(),
    run("job-id", "P1B", "the id of the job is a number, empty or missing", &[choice("as", &["number", "empty", "missing"])]).only(REPORT_JOBS),
    page("base64", "P18", "base64 that ends early, has foreign characters, is escaped or broken into lines, is of the other alphabet, lacks its padding or goes on after it", &[choice("as", &["truncated", "characters", "escaped", "lines", "url-safe", "unpadded", "after-padding"])]).only(ENCODED),
    page("file-shape", "P19", "the file comes first, is null, missing, empty or within an array", &[choice("as", &["file-first", "null", "missing", "empty", "array"])]).only(ENCODED),
    // Data extraction.
    run("bare-id", "P20", "the id comes without quotes, as garbage, an object, a number, empty, with spaces or as null", &[choice("as", &["unquoted", "garbage", "object", "number", "empty", "spaces", "null"])]).only(EXTRACTION),
    run("job-expired", "P21", "EXPIRED after `after` polls of the finished job", &[value("after", "0")]).only(EXTRACTION),
    run("link-expired", "P22", "the link has expired when it arrives, for `looks` polls", &[value("looks", "1")]).only(EXTRACTION),
    run("link-once", "P23", "a later poll gives the link of the first one", &[]).only(EXTRACTION).forever(),
    answer("extraction-throttled", "P24", &["start-run", "look", "list-jobs"], "403 as for a call that comes too early, although it does not", &[]).only(EXTRACTION),
    answer("extraction-forbidden", "P25", &["start-run", "look", "list-jobs"], "403 as for a missing permission, in the same words", &[]).only(EXTRACTION).forever(),
    run("late-data", "P26", "rows of the last `minutes` minutes before the start of the run are missing", &[value("minutes", "30")]).only(EXTRACTION).forever(),
    // Data download.
    run("error-message", "P30", "200 with the error message `text`, with or without the file", &[value("text", "The report could not be generated"), choice("file", &["no", "yes"])]).only(DOWNLOAD),
    run("answer-by", "P31", "the file is behind a link, in the answer, in both or in neither, regardless of the request", &[choice("as", &["uri", "file", "both", "neither"])]).only(DOWNLOAD).forever(),
    run("uri-late", "P32", "the link answers 404 for `seconds` seconds", &[value("seconds", "60")]).only(DOWNLOAD).forever(),
    run("uri-raw", "P33", "the link gives the CSV itself instead of JSON with base64", &[]).only(DOWNLOAD).forever(),
    answer("file-name-taken", "P34", &["page"], "409: there is a file of this name", &[value("status", "409")]).only(DOWNLOAD),
    // Contacts.
    page("page-repeats", "P40", "this page has the rows of the page before", &[]).page(1).only(CONTACTS),
    page("total-text", "P41", "totalRecords is a string", &[]).only(CONTACTS),
    page("next-link", "P42", "the next link names another host, no host, or is missing", &[choice("as", &["foreign", "relative", "missing"])]).only(CONTACTS),
];

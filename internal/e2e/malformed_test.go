package e2e

import (
	"context"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/store/pgtest"
)

// whisper is what malformed bodies have in them, which no answer may repeat.
const whisper = "Whisper7vu"

// shownFields hold what an answer may repeat: names, and what is said of something.
var shownFields = []string{"name", "key", "domain", "fields", "message", "description", "image", "image_tag"}

// whisperIn is what is sent in the place of a field's text.
func whisperIn(field string) string {
	if slices.Contains(shownFields, field) {
		return "colour"
	}
	return whisper
}

// wrongs are JSON texts in the place of a field's value. Some are no JSON, as a NUL byte or half a character.
func wrongs(field string) map[string]string {
	whisper := whisperIn(field)
	all := map[string]string{
		"a number": "-1", "a huge number": "99999999999999999999", "a number without an end": "1e999", "a fraction": "0.5", "a list": `["` + whisper + `"]`,
		"an object": `{"colour":"` + whisper + `"}`, "null": "null", "true": "true", "a text": `"` + whisper + `"`, "nothing": `""`,
		"a long text": `"` + strings.Repeat(whisper, 4000) + `"`, "an escaped NUL": `"` + whisper + `\u0000"`, "a NUL": "\"" + whisper + "\x00\"",
		"bad UTF-8": "\"" + whisper + "\xff\xfe\"", "half of a pair": `"` + whisper + `\ud800"`, "control characters": `"` + whisper + `\u001b[2J\u202e"`,
		"no JSON": whisper, "a word that breaks off": `"` + whisper, "a deep list": strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
		"a deep object": strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000),
	}
	if pgtest.IsPostgres() { // what it cannot hold; the rest is no affair of a database
		maps.DeleteFunc(all, func(what, _ string) bool {
			return !slices.Contains([]string{"an escaped NUL", "a NUL", "bad UTF-8", "half of a pair", "control characters"}, what)
		})
	}
	return all
}

// wrongWords stand in the place of a path's or a query's value.
var wrongWords = []string{
	"%00", "%ff%fe", "%F0%9F%92%A9", "%20", "%2e%2e", "..%2f..%2fetc", "a%2Fb", "%0d%0aX-A:%20b", "'%22;--", "-1", "99999999999999999999", "x",
	strings.Repeat("a", 4000), "",
}

// assault sends what nobody should send, and wants answers as they are documented.
type assault struct {
	t     *testing.T
	world *world
	token string
	sent  int
}

// patienceWithStreams is how long an answer is read: a stream that was opened by a request that is none, has no end.
const patienceWithStreams = 2 * time.Second

// longestAnswer is more than there is to say of anything here, the names of all fields and commands among it.
const longestAnswer = 16 << 10

// send gives up a stream after a while, and wants anything else to be an answer without a fault of the server's.
func (s *assault) send(what, method, path, body string, header map[string]string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, s.world.url()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatalf("%s %.200s: %v", method, path, err)
	}
	q.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		q.Header[name] = []string{value}
	}
	response, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		s.t.Errorf("%s: %s %.200s: %v", what, method, path, err)
		return
	}
	defer response.Body.Close() //nolint:errcheck // read as far as it is looked at
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		time.AfterFunc(patienceWithStreams, cancel)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil && ctx.Err() == nil {
		s.t.Errorf("%s: %s %.200s: %v", what, method, path, err)
	}
	s.sent++
	if len(text) > longestAnswer {
		s.t.Errorf("%s: %s %.200s is answered by %d bytes", what, method, path, len(text))
	}
	s.judge(what+": "+method+" "+path[:min(len(path), 200)], method, answer{response.StatusCode, response.Header, text})
}

func (s *assault) judge(what, method string, a answer) {
	s.t.Helper()
	if found, ok := within(a.body, whisper); ok && a.status >= http.StatusBadRequest { // what was taken may be shown: the name of a token
		s.t.Errorf("%s: %d repeats %s: %.300s", what, a.status, found, a.body)
	}
	switch {
	case a.status >= http.StatusInternalServerError:
		s.t.Errorf("%s: %d %.300s", what, a.status, a.body)
	case a.status < http.StatusBadRequest || method == http.MethodHead:
	default:
		r := refused(s.t, a)
		if *r.Temporary && a.status != http.StatusTooManyRequests && a.status != http.StatusConflict {
			s.t.Errorf("%s: %d may succeed later, it says: %.300s", what, a.status, a.body)
		}
		if (a.status == http.StatusUnprocessableEntity) != (len(r.ValidationErrors) > 0) {
			s.t.Errorf("%s: %d with the validation errors %v", what, a.status, r.ValidationErrors)
		}
	}
}

var parameter = regexp.MustCompile(`{[a-z_]+}`)

// filled is a path with values: what is there, where that does no harm and is no stream without an end.
func filled(method, path string) string {
	values := map[string]string{"{organization}": "demo", "{project}": "shop", "{stage}": "production", "{app}": "web", "{number}": "4711"}
	harmful := method == http.MethodDelete
	return parameter.ReplaceAllStringFunc(path, func(name string) string {
		value, known := values[name]
		if !known || harmful && strings.HasSuffix(path, name) || strings.HasSuffix(path, "/events") && name == "{app}" {
			return "nope"
		}
		return value
	})
}

func (s *assault) paths(method, path string) {
	all := parameter.FindAllStringIndex(path, -1)
	for i, at := range all {
		words := wrongWords
		if i < len(all)-1 || pgtest.IsPostgres() { // it is the last one of another path, too
			words = wrongWords[:2]
		}
		for _, word := range words {
			wrong := filled(method, path[:at[0]]) + word + filled(method, path[at[1]:])
			if word == "" && strings.HasSuffix(wrong, "/") { // another route, as a list that is not to be destroyed
				continue
			}
			s.send("a path", method, wrong, "", nil)
		}
	}
}

func (s *assault) headers(method, path string) {
	right := filled(method, path)
	if pgtest.IsPostgres() {
		return
	}
	for name, values := range map[string][]string{
		"Authorization":   {"", "Bearer", "Bearer  ", "Basic eDp5", "Bearer " + strings.Repeat("x", 5000), "Bearer \xff\xfe", "bearer sops_x, Bearer y"},
		"Idempotency-Key": {"", strings.Repeat("k", 65), "with a blank", "\xff\xfe", "é"},
		"Content-Type":    {"", "text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16", "///", ";", "application/x-www-form-urlencoded"},
		"Accept":          {"application/xml", "///", "text/event-stream;q=2"},
		"Last-Event-Id":   {"", "-1", "99999999999999999999", "\xff", strings.Repeat("9", 5000)},
		"Content-Length":  {},
	} {
		for _, value := range values {
			body := ""
			if method == http.MethodPost {
				body = `{"name":"` + whisper + `"}`
			}
			s.send(name+" "+value[:min(len(value), 20)], method, right, body, map[string]string{name: value})
		}
	}
}

func (s *assault) bodies(method, path string, properties []string) {
	right := filled(method, path)
	for what, wrong := range wrongs("") {
		s.send(what, method, right, wrong, nil)
	}
	for _, p := range properties {
		for what, wrong := range wrongs(p) {
			s.send(p+" is "+what, method, right, `{"`+p+`":`+wrong+`}`, nil)
		}
	}
	for _, p := range properties {
		s.send(p+" twice", method, right, `{"`+p+`":"`+whisper+`","`+p+`":{"a":"`+whisper+`"}}`, nil)
		s.send(p+" in capitals", method, right, `{"`+strings.ToUpper(p)+`":"`+whisperIn(p)+`"}`, nil)
	}
	for what, body := range map[string]string{
		"an object that breaks off": `{"colour":`, "two objects": `{}{"a":"` + whisper + `"}`, "a byte order mark": "\xef\xbb\xbf{}",
		"UTF-16": "\xff\xfe{\x00}\x00", "an unknown property": `{"colour":"` + whisper + `"}`, "too much": `{"x":"` + strings.Repeat("x", 2<<20) + `"}`,
	} {
		s.send(what, method, right, body, nil)
	}
}

// commands are wrong in what the schema of the API leaves open: their arguments.
func (s *assault) commands(names []string) {
	const path = production + "/changeset/commands"
	for _, name := range names {
		for what, wrong := range wrongs("") {
			s.send(name+" with "+what, "POST", path, `{"commands":[{"name":"`+name+`","arguments":`+wrong+`}]}`, nil)
		}
		for _, field := range []string{"name", "key", "value", "secret", "description", "command", "health_check", "fields", "release_id", "scale", "domain"} {
			some := wrongs(field)
			if name != "app:env:set" { // the rest is decoded by the same code
				maps.DeleteFunc(some, func(what, _ string) bool { return what != "null" && what != "a NUL" && what != "an object" })
			}
			for what, wrong := range some {
				body := `{"commands":[{"name":"` + name + `","arguments":{"name":"web","key":"A","` + field + `":` + wrong + `}}]}`
				s.send(name+" whose "+field+" is "+what, "POST", path, body, nil)
			}
		}
	}
}

// TestWhatNobodyShouldSendIsRefusedAsDocumented sends malformed requests to every operation of the API.
func TestWhatNobodyShouldSendIsRefusedAsDocumented(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	w.must(t, token, "POST", production+"/changeset/commands", `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`)
	w.must(t, token, "POST", production+"/commits", "")
	s := &assault{t: t, world: w, token: token}
	document := describe(t, w)
	for path, item := range document.Paths {
		for method, op := range item {
			method = strings.ToUpper(method)
			if path == "/v1/sessions" && method == http.MethodDelete { // it would sign out
				continue
			}
			s.paths(method, path)
			s.headers(method, path)
			for _, p := range op.Parameters {
				for _, word := range wrongWords {
					if p.In == "query" && method == http.MethodGet {
						s.send("a query", method, filled(method, path)+"?"+p.Name+"="+word+"&"+p.Name+"=%zz&unknown", "", nil)
					}
				}
			}
			if op.RequestBody != nil {
				s.bodies(method, path, slices.Sorted(maps.Keys(propertiesOf(document, op.RequestBody.Content["application/json"].Schema))))
			}
		}
		for _, method := range []string{"PATCH", "PUT", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "FOO"} {
			if _, there := item[strings.ToLower(method)]; !there {
				s.send("a method", method, filled("DELETE", path), "", nil)
			}
		}
	}
	s.commands([]string{"app:env:set", "app:container:set", "app:release:set", "app:domain:create", "app:resource:unset", "app:explode"})
	if s.sent < 2500 && !pgtest.IsPostgres() {
		t.Errorf("only %d requests were sent", s.sent)
	}
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Error("the server's log tells of errors")
	}
	if a := w.do(t, request{method: "GET", path: production + "/apps/web", token: token}); a.status != http.StatusOK {
		t.Errorf("the app is not what it was: %d %s", a.status, a.body)
	}
}

// propertiesOf are those of an object, which may be named elsewhere in the document.
func propertiesOf(document openAPI, schema map[string]any) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		schema = document.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
	}
	properties, _ := schema["properties"].(map[string]any)
	return properties
}

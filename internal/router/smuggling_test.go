package router_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

// hidden is a request that must be seen by nobody, where it stands in another one's body.
const hidden = "GET /hidden HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n"

// smuggled are requests that two readers could cut in two ways. Each is refused, or what the app is sent can be cut in
// one way only.
func smuggled() map[string]struct {
	request string
	codes   []int // of all answers; nil where nothing is refused
} {
	post := func(fields, body string) string {
		return "POST / HTTP/1.1\r\nHost: " + testHost + "\r\n" + fields + "\r\n" + body
	}
	chunked := "5\r\nhello\r\n0\r\n\r\n"
	type attempt = struct {
		request string
		codes   []int
	}
	return map[string]attempt{
		"two lengths":                     {post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), []int{400}},
		"a list of lengths":               {post("Content-Length: 5, 6\r\n", "hello!"), []int{400}},
		"a signed length":                 {post("Content-Length: +5\r\n", "hello"), []int{400}},
		"a negative length":               {post("Content-Length: -5\r\n", "hello"), []int{400}},
		"a hexadecimal length":            {post("Content-Length: 0x5\r\n", "hello"), []int{400}},
		"an empty length":                 {post("Content-Length: \r\n", "hello"), []int{400}},
		"a length beyond all":             {post("Content-Length: 99999999999999999999\r\n", "hello"), []int{400}},
		"space before the colon":          {post("Content-Length : 5\r\n", "hello"), []int{400}},
		"space before the colon of TE":    {post("Transfer-Encoding : chunked\r\n", chunked), []int{400}},
		"unknown coding":                  {post("Transfer-Encoding: xchunked\r\n", chunked), []int{501}},
		"quoted coding":                   {post("Transfer-Encoding: \"chunked\"\r\n", chunked), []int{501}},
		"coding after chunked":            {post("Transfer-Encoding: chunked, identity\r\n", chunked), []int{501}},
		"coding before chunked":           {post("Transfer-Encoding: identity, chunked\r\n", chunked), []int{501}},
		"two codings":                     {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunked), []int{501}},
		"chunked twice":                   {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked), []int{501}},
		"vertical tab":                    {post("Transfer-Encoding: \x0bchunked\r\n", chunked), []int{400}},
		"NUL in a value":                  {post("X: a\x00b\r\nContent-Length: 5\r\n", "hello"), []int{400}},
		"CR in a value":                   {post("X: a\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", "hello"), []int{400}},
		"CR in a name":                    {post("X\rY: a\r\n", ""), []int{400}},
		"a name with a bracket":           {post("Transfer-Encoding[]: chunked\r\n", chunked), []int{400}},
		"a line without a colon":          {post("nonsense\r\n", ""), []int{400}},
		"a first line that is folded":     {"POST / HTTP/1.1\r\n Host: " + testHost + "\r\n\r\n", []int{400}},
		"a chunk that ends with LF":       {post("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n"), []int{400}},
		"a chunk that is too short":       {post("Transfer-Encoding: chunked\r\n", "6\r\nhello\r\n0\r\n\r\n"), []int{400}},
		"a chunk that is too long":        {post("Transfer-Encoding: chunked\r\n", "4\r\nhello\r\n0\r\n\r\n"), []int{400}},
		"a signed chunk":                  {post("Transfer-Encoding: chunked\r\n", "+5\r\nhello\r\n0\r\n\r\n"), []int{400}},
		"a chunk beyond all":              {post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"), []int{400}},
		"a huge chunk extension":          {post("Transfer-Encoding: chunked\r\n", "5;"+strings.Repeat("x", 8<<10)+"\r\nhello\r\n0\r\n\r\n"), []int{400}},
		"many chunk extensions":           {post("Transfer-Encoding: chunked\r\n", strings.Repeat("1;"+strings.Repeat("x", 2000)+"\r\nh\r\n", 100)+"0\r\n\r\n"), []int{400}},
		"a chunked body without its end":  {post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"), []int{400}},
		"a body without its end":          {post("Content-Length: 6\r\n", "hello"), []int{400}},
		"an expectation that nobody has":  {post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), []int{417}},
		"two hosts":                       {post("Host: other.localhost\r\n", ""), []int{400}},
		"two spaces in the request line":  {"GET  / HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", []int{400}},
		"a word too many":                 {"GET / HTTP/1.1 HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", []int{400}},
		"a method that is no token":       {"G(T / HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", []int{400}},
		"a version of the future":         {"GET / HTTP/3.0\r\nHost: " + testHost + "\r\n\r\n", []int{505}},
		"the preface of HTTP/2":           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400}},
		"a target that is no path":        {"GET x HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", []int{400}},
		"a target that is a star":         {"GET * HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", []int{400}},
		"a host with a space":             {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", []int{400}},
		"a host with a slash":             {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", []int{400}},
		"a host with a user":              {"GET / HTTP/1.1\r\nHost: a@" + testHost + "\r\n\r\n", []int{400}},
		"a host beyond ASCII":             {"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", []int{400}},
		"a host with a control character": {"GET / HTTP/1.1\r\nHost: a\x01b\r\n\r\n", []int{400}},

		"a length and chunked":           {post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunked), nil},
		"chunked and a length":           {post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", chunked), nil},
		"the same length twice":          {post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), nil},
		"chunked in capitals":            {post("TRANSFER-encoding: CHUNKED\r\n", chunked), nil},
		"tab before the coding":          {post("Transfer-Encoding:\tchunked\r\n", chunked), nil},
		"folded field":                   {post("X: a\r\n Content-Length: 50\r\nContent-Length: 5\r\n", "hello"), nil},
		"folded coding":                  {post("Transfer-Encoding:\r\n chunked\r\n", chunked), nil},
		"lines that end with LF":         {strings.ReplaceAll(post("Content-Length: 5\r\n", "hello"), "\r\n", "\n"), nil},
		"underscores":                    {post("Transfer_Encoding: chunked\r\nContent_Length: 50\r\nContent-Length: 5\r\n", "hello"), nil},
		"a length among the hop-by-hop":  {post("Connection: Content-Length, Host, X-Request-Id\r\nContent-Length: 5\r\n", "hello"), nil},
		"a coding among the hop-by-hop":  {post("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", chunked), nil},
		"fields of the head as trailers": {post("Trailer: Content-Length, Host\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nContent-Length: 50\r\nHost: evil\r\n\r\n"), []int{400}},
		"undeclared trailers":            {post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\nX: y\r\n\r\n"), nil},
		"a small chunk extension":        {post("Transfer-Encoding: chunked\r\n", "5;a=\"b\"\r\nhello\r\n0\r\n\r\n"), nil},
	}
}

func TestNothingIsSmuggledPastTheRouter(t *testing.T) {
	for name, attempt := range smuggled() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, router.Config{})
			app := newRecorder(t, "a")
			f.Set("stage", route(testHost, app.Upstream))
			codes, bodies := f.exchange(t, attempt.request, strings.HasSuffix(name, "without its end"))
			sent := app.take()
			switch {
			case attempt.codes != nil && !slices.Equal(codes, attempt.codes):
				t.Errorf("answered %v, want %v", codes, attempt.codes)
			case attempt.codes == nil && (!slices.Equal(codes, []int{200}) || bodies[0] != "/ hello"):
				t.Errorf("answered %v %q", codes, bodies)
			}
			if found := ambiguities(sent); sent != "" && found != nil {
				t.Errorf("the app was sent %q:\n%s", found, sent)
			}
			if _, body := f.get(t, testHost); body != "/ " {
				t.Errorf("the next client got %q", body)
			}
		})
	}
}

// What follows a body is a request of its own, for the router as for the app: never one for the app alone.
func TestTheEndOfABodyIsWhereTheRouterSaysItIs(t *testing.T) {
	f := newFront(t, router.Config{})
	app := newRecorder(t, "a")
	f.Set("stage", route(testHost, app.Upstream))
	for name, fields := range map[string]string{
		"length counts":       fmt.Sprintf("Content-Length: %d\r\n", len(hidden)),
		"not that of another": fmt.Sprintf("Content-Length: %d\r\nContent_Length: 0\r\nX-Content-Length: 0\r\n", len(hidden)),
	} {
		app.take()
		codes, bodies := f.exchange(t, "POST /outer HTTP/1.1\r\nHost: "+testHost+"\r\n"+fields+"\r\n"+hidden, false)
		if !slices.Equal(codes, []int{200}) || bodies[0] != "/outer "+hidden {
			t.Errorf("%s: answered %v %q", name, codes, bodies)
		}
		if sent := app.take(); !strings.HasSuffix(sent, "\r\n\r\n"+hidden) {
			t.Errorf("%s: the app was sent %q", name, sent)
		}
	}
}

func TestCredentialsOfATargetDoNotBecomeAHeader(t *testing.T) {
	f := newFront(t, router.Config{})
	app := newRecorder(t, "a")
	f.Set("stage", route(testHost, app.Upstream))
	codes, _ := f.exchange(t, "GET http://user:password@"+testHost+"/x HTTP/1.1\r\nHost: other\r\n\r\n", false)
	sent := app.take()
	if !slices.Equal(codes, []int{200}) || strings.Contains(sent, "Authorization") || strings.Contains(sent, "password") {
		t.Errorf("answered %v, the app was sent %q", codes, sent)
	}
	if !strings.Contains(sent, "GET /x HTTP/1.1\r\nHost: "+testHost+"\r\n") {
		t.Errorf("the app was sent %q", sent)
	}
}

func TestPipelinedRequestsAreAnsweredInTheirOrder(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, newRecorder(t, "a").Upstream, newRecorder(t, "b").Upstream))
	var requests strings.Builder
	var want []string
	for i := range 100 {
		_, _ = fmt.Fprintf(&requests, "POST /%d HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", i, testHost, i, strings.Repeat("x", i))
		want = append(want, fmt.Sprintf("/%d %s", i, strings.Repeat("x", i)))
	}
	if _, bodies := f.exchange(t, requests.String(), false); !slices.Equal(bodies, want) {
		t.Errorf("answered %q", bodies)
	}
}

func TestMethodsThatAreNoneOfOursGoToTheApp(t *testing.T) {
	f := newFront(t, router.Config{})
	app := newRecorder(t, "a")
	f.Set("stage", route(testHost, app.Upstream))
	for _, method := range []string{"TRACE", "OPTIONS", "PROPFIND", "PATCH", "connect"} {
		codes, bodies := f.exchange(t, method+" /x HTTP/1.1\r\nHost: "+testHost+"\r\n\r\n", false)
		if sent := app.take(); !slices.Equal(codes, []int{200}) || bodies[0] != "/x " || !strings.HasPrefix(sent, method+" /x HTTP/1.1\r\n") {
			t.Errorf("%s answered %v %q, sent as %q", method, codes, bodies, sent)
		}
	}
	for _, target := range []string{testHost + ":443", "/", "*", "http://" + testHost + "/"} {
		codes, _ := f.exchange(t, "CONNECT "+target+" HTTP/1.1\r\nHost: "+testHost+"\r\n\r\n", false)
		if sent := app.take(); len(codes) != 1 || codes[0] != 405 && codes[0] != 400 || sent != "" {
			t.Errorf("CONNECT %s answered %v, sent as %q", target, codes, sent)
		}
	}
}

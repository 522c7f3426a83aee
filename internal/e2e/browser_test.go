package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser behaves as one: it keeps cookies, follows links, and fills in and sends the forms that it is shown.
type browser struct {
	t     *testing.T
	http  *http.Client
	at    *url.URL
	shown *html.Node
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, http: &http.Client{Jar: jar}}
}

// open shows a page; where the browser has one already, its address may be relative to that.
func (b *browser) open(address string) *browser {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.resolve(address), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.show(r)
}

func (b *browser) resolve(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.at != nil {
		u = b.at.ResolveReference(u)
	}
	return u.String()
}

func (b *browser) show(r *http.Request) *browser {
	b.t.Helper()
	a, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // it was read
	if b.shown, err = html.Parse(a.Body); err != nil {
		b.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, a.Body)
	b.at = a.Request.URL
	return b
}

// send fills in the form of the page and presses a button: fields are names and values, a button's too.
func (b *browser) send(fields ...string) *browser {
	b.t.Helper()
	form := find(b.shown, "form")
	if form == nil {
		b.t.Fatalf("there is no form at %s: %s", b.at, b.text())
	}
	values := url.Values{}
	for _, input := range all(form, "input") {
		values.Set(attribute(input, "name"), attribute(input, "value"))
	}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	method := strings.ToUpper(attribute(form, "method"))
	action := b.resolve(attribute(form, "action"))
	if method == http.MethodGet {
		return b.open(action + "?" + values.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, action, strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
	return b.show(r)
}

// want compares where the browser is and what it shows.
func (b *browser) want(path string, parts ...string) *browser {
	b.t.Helper()
	if b.at.Path != path {
		b.t.Fatalf("the browser is at %s, not at %s: %s", b.at.Path, path, b.text())
	}
	for _, part := range parts {
		if !strings.Contains(b.text(), part) {
			b.t.Fatalf("%s lacks %q: %s", path, part, b.text())
		}
	}
	return b
}

// text is what a person reads.
func (b *browser) text() string {
	var text strings.Builder
	for n := range b.shown.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			text.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

func find(in *html.Node, tag string) *html.Node {
	if found := all(in, tag); len(found) > 0 {
		return found[0]
	}
	return nil
}

func all(in *html.Node, tag string) (found []*html.Node) {
	for n := range in.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			found = append(found, n)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

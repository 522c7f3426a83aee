package probe

import (
	"context"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	userAgent      = "SetOps-Health-Check/1"
	maxHeaderBytes = 64 << 10
	maxBodyRead    = 4 << 10
	maxBodyShown   = 200
)

// HTTP passes when a GET request is answered with an accepted status. Redirects are answers like any other and
// not followed. Each probe makes a connection of its own, so that it finds out whether new ones are accepted.
type HTTP struct {
	Host   string // value of the Host header; empty means the address asked
	Path   string // starts with a slash, may have a query; empty means "/"
	Status Status // accepted codes
}

// Probe implements Check.
func (h HTTP) Probe(ctx context.Context, addr string) error {
	within := timeGiven(ctx)
	path := h.Path
	if path == "" {
		path = "/"
	}
	request := "GET " + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return &Failure{Kind: KindProtocol, Addr: addr, Request: request, Err: err}
	}
	req.Host = h.Host
	req.Header.Set("User-Agent", userAgent)

	transport := newTransport()
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return classify(ctx, request, addr, within, err)
	}
	defer func() { _ = res.Body.Close() }()
	if h.Status.Accepts(res.StatusCode) {
		return nil
	}
	return &Failure{
		Kind: KindStatus, Addr: addr, Request: request,
		Status: res.StatusCode, Accepted: h.Status, Body: firstLine(res.Body),
	}
}

func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		Protocols:              protocols,
	}
}

// firstLine reads the first line that says something, fit to be shown in a terminal. What cannot be read is left
// out: the status alone tells enough.
func firstLine(body io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(body, maxBodyRead))
	for line := range strings.SplitSeq(string(text), "\n") {
		if line = printable(line); line != "" {
			return line
		}
	}
	return ""
}

// printable drops all that could move a cursor or break an encoding, and cuts at a character's end.
func printable(line string) string {
	line = strings.TrimSpace(strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, line))
	if len(line) <= maxBodyShown {
		return line
	}
	end := maxBodyShown
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end]
}

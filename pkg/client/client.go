// Package client is the typed client of the SetOps REST API, one file per noun. It knows requests, answers and streams;
// it knows no terminal, no configuration file and no scope: those belong to whoever uses it.
//
// Start with New. Every method returns a *api.ServiceError where the server refused, and a *ConnectionError where there
// was no answer at all, and a *VersionError where the server speaks another API. What the server calls temporary is sent again for a few seconds, and so is every request whose
// answer was lost: one that changes something carries a key by which the server does it once. Streams reconnect by
// themselves, see Options.Patience.
package client

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/setopsco/setops/pkg/api"
)

// Options change how a Client behaves. The zero value is ready to use.
type Options struct {
	// UserAgent names the program, for the server's log.
	UserAgent string
	// Patience is how long a broken stream is opened again before its reader gets a *ConnectionError. 0 means 30 s.
	Patience time.Duration
	// Resend is how long a request that got no answer is sent again, from the first loss on. 0 means 3 s.
	Resend time.Duration
	// Backoff is the first pause before a request is sent again; it doubles each time. 0 means 100 ms.
	Backoff time.Duration
	// Tokens, where set, gives the token to send in place of that of New. It is called before each request with "", and once
	// more with the token that the server has refused: where it gives another one then, the request is sent again. It must be
	// safe for concurrent use.
	Tokens func(ctx context.Context, refused string) (string, error)
	// Trace, where set, hears of every request each time that it has an answer or has failed.
	Trace func(Trace)
	// Met, where set, hears once what the server is, at its first answer.
	Met func(api.ServerVersion)
}

// Trace describes one request. It holds no header and no body, so that it can be shown to anybody.
type Trace struct {
	Method, URL string
	Status      int // 0: no answer
	RequestID   string
	Duration    time.Duration
	Err         error
}

// Client speaks to one server as one user. It is safe for concurrent use.
type Client struct {
	http    *resty.Client
	address string
	token   string
	options Options
	met     sync.Once
}

// Limits of one request that is not a stream. Staging a release may unpack an image, so that the whole may take long.
const (
	dialTimeout    = 10 * time.Second
	requestTimeout = 5 * time.Minute
	resends        = 4 // of what is temporary
)

// New makes a client of the server at address, for example http://127.0.0.1:7700. The token may be empty: then only
// signing in works.
func New(address, token string, options Options) *Client {
	if options.Patience == 0 {
		options.Patience = 30 * time.Second
	}
	if options.Resend == 0 {
		options.Resend = 3 * time.Second
	}
	if options.Backoff == 0 {
		options.Backoff = 100 * time.Millisecond
	}
	address = strings.TrimRight(address, "/")
	h := resty.NewWithClient(&http.Client{Transport: transport()}).
		SetBaseURL(address).
		SetLogger(silent{}).
		SetContentLength(true). // an empty body is none, not an empty stream
		SetHeader("Accept", "application/json").
		SetRedirectPolicy(resty.NoRedirectPolicy()) // a redirect could carry the token elsewhere
	if options.UserAgent != "" {
		h.SetHeader("User-Agent", options.UserAgent)
	}
	return &Client{http: h, address: address, token: token, options: options}
}

// Address is the server's base URL.
func (c *Client) Address() string { return c.address }

// Transport carries requests to other services of the same host, such as its image registry, as those of the API are carried. It
// adds no token.
func (c *Client) Transport() http.RoundTripper { return tracing{c} }

// tracing tells Options.Trace of requests that are not the client's own.
type tracing struct{ client *Client }

func (t tracing) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	response, err := t.client.http.GetClient().Transport.RoundTrip(r)
	if t.client.options.Trace != nil {
		told := Trace{Method: r.Method, URL: r.URL.Scheme + "://" + r.URL.Host + r.URL.Path, Duration: time.Since(began), Err: err}
		if response != nil {
			told.Status = response.StatusCode
		}
		t.client.options.Trace(told)
	}
	return response, err
}

// transport notices within half a minute that the other side of a quiet stream is gone.
func transport() *http.Transport {
	dialer := &net.Dialer{
		Timeout:         dialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, loopback(address))
		},
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     time.Minute,
	}
}

// loopback gives where to connect to: names below localhost are this machine (RFC 6761, 6.3), whether its resolver knows that
// or not.
func loopback(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".localhost") {
		return address
	}
	return net.JoinHostPort("localhost", port)
}

// Origin reduces an address to scheme, host and port, the default port written out: what a token is bound to. It is
// empty where the address is no http or https URL.
func Origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme != "http" && scheme != "https":
		return ""
	case port == "" && scheme == "http":
		port = "80"
	case port == "":
		port = "443"
	}
	return strings.ToLower(u.Scheme) + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// silent keeps resty from writing to the standard error of whoever imports this package.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

package traffic

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// patience is how long any exchange may take. All of them take less than half of it when nothing is wrong.
const patience = 20 * time.Second

// client keeps its connections to the router and never sends a request twice: what http.Transport would repeat by itself
// is a lost request here.
type client struct {
	http   http.Client
	router string
}

func newClient(c Config) client {
	return client{router: c.Router, http: http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", c.Router)
			},
			MaxIdleConnsPerHost: c.Clients + c.Streams, IdleConnTimeout: time.Minute,
		},
	}}
}

// CloseIdleConnections ends the connections that were kept.
func (c *client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// once is a body that cannot be read again, so that http.Transport does not send the request again.
type once struct{ io.Reader }

func (c *client) send(host, path string, body []byte) (*http.Response, error) {
	method, reader := http.MethodGet, io.Reader(once{strings.NewReader("")})
	if body != nil {
		method, reader = http.MethodPost, once{bytes.NewReader(body)}
	}
	req, err := http.NewRequest(method, "http://"+host+path, reader)
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(body))
	if body == nil {
		req.TransferEncoding, req.ContentLength = []string{"identity"}, 0
	}
	return c.http.Do(req)
}

// ask sends one request and judges its answer.
func (t *traffic) ask(host string, withBody bool) error {
	floor := t.newest.Load()
	var body []byte
	if withBody {
		body = make([]byte, 1+rand.IntN(16<<10))
		for i := range body {
			body[i] = byte(rand.Uint32())
		}
	}
	what := "GET " + host
	if withBody {
		what = "POST " + host
	}
	resp, err := t.send(host, "/", body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: the answer was cut: %w", what, err)
	}
	version, err := versionOf(resp)
	if err != nil {
		return fmt.Errorf("%s: %w: %.100q", what, err, text)
	}
	want := fmt.Sprintln(version)
	if withBody {
		want = fmt.Sprintf("%d %x\n", version, sha256.Sum256(body))
	}
	if string(text) != want {
		return fmt.Errorf("%s: the answer is %.100q, not %.100q", what, text, want)
	}
	return t.seen(what, version, floor)
}

func versionOf(resp *http.Response) (int64, error) {
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %s", resp.Status)
	}
	return strconv.ParseInt(resp.Header.Get("X-Version"), 10, 64)
}

// stream reads a slow answer to its end. All of it must be of one version.
func (t *traffic) stream(host string) error {
	floor := t.newest.Load()
	resp, err := t.send(host, "/slow", nil)
	if err != nil {
		return fmt.Errorf("slow stream of %s: %w", host, err)
	}
	defer resp.Body.Close()
	version, err := versionOf(resp)
	if err != nil {
		return fmt.Errorf("slow stream of %s: %w", host, err)
	}
	if err := t.seen("slow stream of "+host, version, floor); err != nil {
		return err
	}
	lines, last := bufio.NewScanner(resp.Body), ""
	for lines.Scan() {
		last = lines.Text()
		if last != "end" && last != fmt.Sprint(version) {
			return fmt.Errorf("slow stream of %s: %q within version %d", host, last, version)
		}
	}
	if err := lines.Err(); err != nil || last != "end" {
		return fmt.Errorf("slow stream of %s was cut: %v", host, err)
	}
	return nil
}

// messages go over a WebSocket one after the other, with a pause between them.
const (
	messages     = 20
	messagePause = 100 * time.Millisecond
)

// socket talks over a WebSocket for a while. All of it must be of one version.
func (t *traffic) socket(host string) error {
	floor := t.newest.Load()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws://"+host+"/socket", &websocket.DialOptions{HTTPClient: &http.Client{Transport: t.http.Transport}})
	if err != nil {
		return fmt.Errorf("open WebSocket to %s: %w", host, err)
	}
	defer conn.CloseNow()
	version, err := strconv.ParseInt(resp.Header.Get("X-Version"), 10, 64)
	if err != nil {
		return fmt.Errorf("open WebSocket to %s: %w", host, err)
	}
	if err := t.seen("WebSocket to "+host, version, floor); err != nil {
		return err
	}
	for n := range messages {
		text := fmt.Sprint("message ", n)
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return fmt.Errorf("WebSocket to %s was cut: %w", host, err)
		}
		_, got, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("WebSocket to %s was cut: %w", host, err)
		}
		if want := fmt.Sprintf("%d %s", version, text); string(got) != want {
			return fmt.Errorf("WebSocket to %s: %q, not %q", host, got, want)
		}
		time.Sleep(messagePause)
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		return fmt.Errorf("close WebSocket to %s: %w", host, err)
	}
	return nil
}

package daemon_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/freeport"
	"github.com/setopsco/setops/pkg/api"
)

func TestUpgradesLoseNothingOfTLSAndTCP(t *testing.T) {
	free, err := freeport.Row(1)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	i := install(t, "--https-listen", "127.0.0.1:0", "--tcp-ports", port+"-"+port)
	i.deploy("./internal/bench/echo", "web")
	i.deploy("./internal/engine/embedded/testdata/app", "plain", api.NetworkSet{Name: "plain", Protocol: new("tcp")},
		api.ContainerSet{Name: "plain", Command: []string{"http=:5000"}})
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var asked atomic.Int64
	for _, protocol := range []int{1, 2} {
		for _, host := range []string{"web.prod.shop.localhost", "api.localhost"} {
			client := i.secure(protocol)
			i.await("a certificate for "+host, func() bool { _, err := post(client, host); return err == nil })
			clients.Go(func() {
				for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
					answer, err := post(client, host)
					if err != nil {
						t.Errorf("HTTP/%d, %s: %v", protocol, host, err)
						continue
					}
					asked.Add(1)
					if answer.ProtoMajor != protocol {
						t.Errorf("%s is answered by %s", host, answer.Proto)
					}
				}
			})
		}
	}
	clients.Go(func() { // connections of an app that speaks tcp, one after the other
		for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
			if c, ok := i.dial(port); ok {
				c.talk()
				c.Close() //nolint:errcheck // it is read to its end
				asked.Add(1)
			}
		}
	})
	long, ok := i.dial(port)
	if !ok {
		t.FailNow()
	}
	for range 2 {
		long.talk()
		i.upgrade()
	}
	long.talk()  // two processes back
	long.Close() //nolint:errcheck // it is read to its end
	i.await("requests to the last process", func() bool { return asked.Load() > 200 })
	cancel()
	clients.Wait()
	i.destroy()
}

// secure is a client that trusts the server's authority.
func (i *installation) secure(protocol int) *http.Client {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, "data", "authority.pem"))
	i.must(err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		i.t.Fatal("the authority has no certificate")
	}
	var protocols http.Protocols
	protocols.SetHTTP1(protocol == 1)
	protocols.SetHTTP2(protocol == 2)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: &protocols,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, i.tls)
		},
	}
	i.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// post sends a body, once: http.Transport sends what is no GET again only where the server has said that it did not look at
// it. (Without a way to read the body again, that of HTTP/2 gives up where it only has to take another connection.)
func post(client *http.Client, host string) (*http.Response, error) {
	answer, err := client.Post("https://"+host+"/", "text/plain", strings.NewReader("hello"))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it is read
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return nil, err
	}
	want := http.StatusOK
	if strings.HasPrefix(host, "api.") {
		want = http.StatusNotFound // it answers, that is enough
	}
	if answer.StatusCode != want {
		return nil, fmt.Errorf("status %s", answer.Status)
	}
	return answer, nil
}

// conversation is a connection to an app that speaks tcp: HTTP, as it happens, of which the router knows nothing.
type conversation struct {
	net.Conn
	from *bufio.Reader
	t    *testing.T
}

func (i *installation) dial(port string) (c conversation, ok bool) {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		i.t.Error(err)
		return c, false
	}
	return conversation{conn, bufio.NewReader(conn), i.t}, true
}

func (c conversation) talk() {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		c.t.Error(err)
	}
	if _, err := fmt.Fprint(c.Conn, "GET / HTTP/1.1\r\nHost: plain\r\n\r\n"); err != nil {
		c.t.Error(err)
		return
	}
	answer, err := http.ReadResponse(c.from, nil)
	if err != nil {
		c.t.Error(err)
		return
	}
	if text, err := io.ReadAll(answer.Body); err != nil || string(text) != "hello\n" {
		c.t.Errorf("%q, %v", text, err)
	}
}

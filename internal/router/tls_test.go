package router_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// certificate is one for any name of localhost and example.com.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{testHost, "other.localhost", "*.example.com"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// newTLSFront is a front behind TLS. Its client speaks HTTP/2 where it is told so.
func newTLSFront(t *testing.T, config router.Config, http2 bool) *front {
	t.Helper()
	r := router.New(config)
	cert, roots := certificate(t)
	server := router.NewServer(r, slog.New(slog.DiscardHandler))
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(listener, "", "") }()
	addr := listener.Addr().String()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	transport := &http.Transport{
		Protocols: protocols, TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, addr)
		},
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		r.Close()
		_ = server.Close()
		<-served
	})
	return &front{Router: r, addr: addr, tls: transport.TLSClientConfig, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// dialTLS gives a connection on which HTTP/1.1 is spoken, or HTTP/2.
func (f *front) dialTLS(t *testing.T, serverName string, protocols ...string) *tls.Conn {
	t.Helper()
	config := f.tls.Clone()
	config.ServerName, config.NextProtos = serverName, protocols
	conn, err := tls.Dial("tcp", f.addr, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func (f *front) tlsRequest(t *testing.T, host, path string, body io.Reader) *http.Request {
	t.Helper()
	req := f.request(t, host, path, body)
	req.URL.Scheme, req.URL.Host = "https", host
	return req
}

func TestTLSIsServedOverBothProtocols(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		f := newTLSFront(t, router.Config{Secure: secureHosts(testHost)}, http2)
		requests := seen(t, f)
		req := f.tlsRequest(t, testHost, "/a%2Fb?x", nil)
		req.Header.Set("X-Forwarded-Proto", "http")
		req.Header.Set("Forwarded", "for=forged")
		res, _ := f.do(t, req)
		got := <-requests
		if res.StatusCode != http.StatusOK || (res.ProtoMajor == 2) != http2 {
			t.Errorf("answered %s by %s", res.Status, res.Proto)
		}
		if got.Proto != "HTTP/1.1" || got.RequestURI != "/a%2Fb?x" || got.Host != testHost {
			t.Errorf("the app was asked for %s%s by %s", got.Host, got.RequestURI, got.Proto)
		}
		if got.Header.Get("X-Forwarded-Proto") != "https" || got.Header.Get("Forwarded") != "" {
			t.Errorf("the app was told %v", got.Header)
		}
	}
}

func TestAConnectionForAnotherHostIsMisdirected(t *testing.T) {
	f := newTLSFront(t, router.Config{}, false)
	f.Set("stage", append(route(testHost, named(t, "a")), route("other.localhost", named(t, "b"))...))
	tests := []struct {
		serverName, host string
		code             int
	}{
		{testHost, testHost, 200},
		{testHost, "WEB.test.shop.localhost.:443", 200},
		{testHost, "other.localhost", 421},
		{testHost, "unknown.localhost", 421},
		{testHost, "", 421},
		{"a.example.com", "a.example.com", 404},
	}
	for _, test := range tests {
		conn := f.dialTLS(t, test.serverName)
		_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", test.host)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != test.code {
			t.Errorf("SNI %s with host %q answered %s, want %d", test.serverName, test.host, res.Status, test.code)
		}
	}
	conn := f.dialTLS(t, testHost)
	_, _ = fmt.Fprintf(conn, "GET https://other.localhost/ HTTP/1.1\r\nHost: %s\r\n\r\n", testHost)
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("an absolute target for another host answered %v, %v", res, err)
	}
}

func TestAnHTTP2ConnectionIsMisdirectedForOneRequestOnly(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	f.Set("stage", route(testHost, named(t, "a")))
	req := f.tlsRequest(t, testHost, "/", nil)
	req.Host = "other.localhost"
	if res, _ := f.do(t, req); res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("answered %s", res.Status)
	}
	if _, body := f.do(t, f.tlsRequest(t, testHost, "/", nil)); body != "a" {
		t.Errorf("the host of the connection answered %q", body)
	}
}

func TestEventsArriveOneByOneOverHTTP2(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	next := make(chan struct{})
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n", i)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	})
	f.Set("stage", route(testHost, up))
	res, err := f.client.Do(f.tlsRequest(t, testHost, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
			t.Fatalf("event %d is %q, %v", i, lines.Text(), lines.Err())
		}
		next <- struct{}{}
	}
}

func TestLargeBodiesPassBothWaysOverTLS(t *testing.T) {
	const size = 16 << 20
	for _, http2 := range []bool{false, true} {
		f := newTLSFront(t, router.Config{}, http2)
		up, _ := backend(t, "a", func(w http.ResponseWriter, req *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			_, _ = io.Copy(w, req.Body)
		})
		f.Set("stage", route(testHost, up))
		res, err := f.client.Do(f.tlsRequest(t, testHost, "/", io.MultiReader(noise(size))))
		if err != nil {
			t.Fatal(err)
		}
		sent, got := sha256.New(), sha256.New()
		copyAll(t, sent, noise(size))
		copyAll(t, got, res.Body)
		_ = res.Body.Close()
		if string(sent.Sum(nil)) != string(got.Sum(nil)) {
			t.Errorf("HTTP/2 %t: what came back differs from what was sent", http2)
		}
	}
}

func TestUpgradesPassThroughTLS(t *testing.T) {
	f := newTLSFront(t, router.Config{}, false)
	f.Set("stage", route(testHost, echoProtocol(t, "a")))
	conn := f.dialTLS(t, testHost, "http/1.1")
	_, _ = fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", testHost)
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res, err)
	}
	f.echo(t, conn, reader, "hello")
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(reader); err != nil || string(rest) != "goodbye" {
		t.Errorf("after the client's half was closed came %q, %v", rest, err)
	}
}

func TestHTTP2RequestsSurviveSwapsOnOneConnection(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	for n := range 10 {
		name := fmt.Sprint("generation ", n)
		f.Set("stage", route(testHost, named(t, name)))
		for range 5 {
			if res, body := f.do(t, f.tlsRequest(t, testHost, "/", strings.NewReader("body"))); body != name {
				t.Fatalf("%s %q answered, want %q", res.Status, body, name)
			}
		}
	}
}

func TestGarbageInsteadOfAHandshakeHarmsNobody(t *testing.T) {
	f := newTLSFront(t, router.Config{}, false)
	f.Set("stage", route(testHost, named(t, "a")))
	if code := f.raw(t, "GET / HTTP/1.1\r\nHost: "+testHost+"\r\n\r\n"); code != http.StatusBadRequest {
		t.Errorf("plain HTTP was answered %d", code)
	}
	for _, garbage := range []string{"\x16\x03\x01\xff\xff", "SSH-2.0-x\r\n\r\n", strings.Repeat("\x00", 1<<16)} {
		f.send(t, garbage)
	}
	if _, body := f.do(t, f.tlsRequest(t, testHost, "/", nil)); body != "a" {
		t.Errorf("afterwards %q answered", body)
	}
}

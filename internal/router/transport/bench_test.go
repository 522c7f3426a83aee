package transport_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router/transport"
)

// Compares with http.Transport on the same server: go test -bench . -benchmem
func BenchmarkRoundTrip(b *testing.B) {
	const answer = 200 // bytes
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", answer))
	}))
	defer server.Close()
	ours := transport.New(transport.Config{})
	defer ours.CloseIdleConnections()
	peer := &http.Transport{DialContext: new(net.Dialer).DialContext, DisableCompression: true, MaxIdleConnsPerHost: 64}
	defer peer.CloseIdleConnections()
	for _, kind := range []struct{ name, method, body string }{{"GET", "GET", ""}, {"POST", "POST", "a small body"}} {
		for _, client := range []struct {
			name string
			http.RoundTripper
		}{{"transport", ours}, {"net-http", peer}} {
			b.Run(kind.name+"/"+client.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(16)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						req, err := http.NewRequestWithContext(b.Context(), kind.method, server.URL, strings.NewReader(kind.body))
						if err != nil {
							b.Error(err)
							return
						}
						res, err := client.RoundTrip(req)
						if err != nil {
							b.Error(err)
							return
						}
						if n, err := io.Copy(io.Discard, res.Body); n != answer || err != nil {
							b.Errorf("got %d bytes, %v", n, err)
						}
						_ = res.Body.Close()
					}
				})
			})
		}
	}
}

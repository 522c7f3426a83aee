package kubernetes_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
)

// proxy is a data plane of the cluster: a program beside it that leads requests by what the cluster's API says.
type proxy struct{ address string }

// startProxy compiles it, which takes some minutes the first time on a machine.
func startProxy(t *testing.T, address string, args ...string) *proxy {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	program := filepath.Join(t.TempDir(), "proxy")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Dir, build.Env = "cluster/proxy", append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compile the proxy: %v\n%s", err, out)
	}
	run := exec.Command(program, append([]string{"-listen", address}, args...)...)
	run.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	run.Stdout, run.Stderr = t.Output(), t.Output()
	must(t, run.Start())
	t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = run.Wait()
	})
	return &proxy{address}
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// get asks as a browser does that takes host for its address. It gives the status, and the body or where the answer sends it on.
func (p *proxy) get(host, path string) (status int, said string, err error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+p.address+path, nil)
	if err != nil {
		return 0, "", err
	}
	r.Host = host
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if to := answer.Header.Get("Location"); to != "" {
		return answer.StatusCode, to, err
	}
	return answer.StatusCode, strings.TrimSpace(string(body)), err
}

// load asks a host over and over until stop, which gives how many requests were answered and what became of how many others.
func (p *proxy) load(host string) (stop func() (answered int64, lost map[string]int)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var answered atomic.Int64
	lost := map[string]int{}
	done := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if status, said, err := p.get(host, "/"); err != nil || status != http.StatusOK {
					mu.Lock()
					lost[fmt.Sprint(status, " ", said, " ", err)]++
					mu.Unlock()
					continue
				}
				answered.Add(1)
			}
		})
	}
	return func() (int64, map[string]int) {
		close(done)
		wg.Wait()
		return answered.Load(), lost
	}
}

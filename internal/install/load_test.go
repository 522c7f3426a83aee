//go:build linux

package install

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// load asks an app again and again, on a new connection each time, as who does not know of any server would.
type load struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	answers  map[string]int
	failures []string
}

func ask(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s: %s", response.Status, body)
	}
	return strings.TrimSpace(string(body)), err
}

func begin(t *testing.T, url string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &load{cancel: cancel, answers: map[string]int{}}
	l.done.Go(func() {
		for ctx.Err() == nil {
			answer, err := ask(context.WithoutCancel(ctx), url)
			l.note(answer, err)
			time.Sleep(20 * time.Millisecond) // the rate, not a wait for anything
		}
	})
	t.Cleanup(func() { l.cancel(); l.done.Wait() })
	return l
}

func (l *load) note(answer string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures = append(l.failures, time.Now().Format(time.TimeOnly)+" "+err.Error())
		return
	}
	l.answers[answer]++
}

// count is how many got that answer.
func (l *load) count(answer string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[answer]
}

// end gives how many were answered, and fails the test where one was not.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.cancel()
	l.done.Wait()
	if len(l.failures) > 0 {
		t.Errorf("%d requests failed: %s", len(l.failures), strings.Join(l.failures[:min(5, len(l.failures))], "; "))
	}
	t.Logf("answered: %v", l.answers)
}

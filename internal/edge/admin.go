package edge

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/edge/published"
)

// admin answers the cluster's probes, and setopsd.
func (e *Edge) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /readyz", e.readyz)
	mux.HandleFunc("POST "+published.DrainPath, e.drain)
	return mux
}

func (e *Edge) readyz(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	all, tried := e.hasAll(), e.tried
	e.mu.Unlock()
	switch {
	case e.leaving.Load():
		http.Error(w, "this router is ending", http.StatusServiceUnavailable)
	case !all:
		http.Error(w, "this router does not have all routes yet: no setopsd has published them, or the cluster does not tell them", http.StatusServiceUnavailable)
	case !tried:
		http.Error(w, "this router does not reach all tasks yet; it begins without those that take no connection", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// drain answers when what is asked for is so, or soon that it is not yet.
func (e *Edge) drain(w http.ResponseWriter, r *http.Request) {
	if !e.knows(r) {
		http.Error(w, "the key is not that of the setopsd that this router follows", http.StatusUnauthorized)
		return
	}
	var d published.Drain
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&d); err != nil {
		http.Error(w, "this is no request to drain: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := e.reach(r.Context(), d); err != nil {
		http.Error(w, err.Error(), http.StatusAccepted)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// reach waits for the routes and then for the task, for a while.
func (e *Edge) reach(ctx context.Context, d published.Drain) error {
	// The end of d.Within must be seen here, whether or not who asked is still there: what is upgraded is cut by it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.Within)
	defer cancel()
	if d.Within > published.LongestAnswer {
		defer time.AfterFunc(published.LongestAnswer, cancel).Stop()
	}
	for {
		is, changed := e.reached(d)
		if is {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errBehind
		}
	}
	if d.Task == "" {
		return nil
	}
	return e.router.Drain(ctx, d.Task)
}

// knows compares the key in a time that tells nothing of it.
func (e *Edge) knows(r *http.Request) bool {
	e.mu.Lock()
	key := e.key
	e.mu.Unlock()
	given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(key))
	return isBearer && key != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

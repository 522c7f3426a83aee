// Package httpapi is the REST API over HTTP: it reads requests, asks a use case, and writes what it says in the types of
// pkg/api. It decides nothing; a handler never touches the store or an engine. routes.go is the whole surface.
package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/setopsco/setops/internal/app"
	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/define"
	"github.com/setopsco/setops/internal/domain"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/schedule"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/internal/task"
	"github.com/setopsco/setops/internal/user"
	"github.com/setopsco/setops/pkg/api"
)

// Server holds the use cases that handlers ask.
type Server struct {
	Sessions    *auth.Sessions
	Access      auth.Access
	Projects    *project.Service
	Apps        *app.Service
	Domains     *domain.Service
	Staging     *staging.Service
	Commits     *commit.Service
	History     *history.Service
	Definitions *define.Service
	Tasks       *task.Service
	// Schedules are what runs regularly.
	Schedules *schedule.Service
	Requests  *idempotency.Keeper
	Logger    *slog.Logger
	// PublicURL is where users reach the server, for links; empty: where the one who asks does.
	PublicURL string
	// Invitations lets people in, Users looks after who is there, Audit remembers who did what.
	Invitations *auth.Invitations
	Users       *user.Service
	Audit       AuditLog

	// Ready says why the server is not ready yet, or nil.
	Ready func(ctx context.Context) error
	// Stopping is closed when the server stops: streams end then, so that stopping does not wait for those who listen.
	Stopping <-chan struct{}
	Version  string
	Platform string // that images must be for, as linux/amd64
}

// Handler gives the API. Everything that is not its own goes to next where next is not nil.
func (s *Server) Handler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	s.routes(newAPI(mux, s.Version))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.readyz)
	s.docs(mux)
	mux.HandleFunc("GET "+api.DefinitionSchemaPath, s.definitionSchema)
	return s.observe(join(mux, next))
}

func newAPI(mux *http.ServeMux, version string) huma.API {
	config := huma.DefaultConfig("SetOps", version)
	config.Info.Description = "Deploys containerised apps: staged changes, committed as a whole. " +
		"Sign in at " + api.SessionsPath + " and send the token as a bearer token. Every error has the body of ServiceError. " +
		"A request that got no answer may be sent again: one that changes something with the same Idempotency-Key, so that it is done once."
	config.OpenAPIPath = strings.TrimSuffix(api.OpenAPIPath, ".json")
	config.DocsPath, config.SchemasPath = "", ""
	config.OnAddOperation = append(config.OnAddOperation, tagByNoun)
	config.CreateHooks = nil // no $schema in bodies
	config.Transformers = []huma.Transformer{addRequestID}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "The token of POST " + api.SessionsPath},
	}
	config.Security = []map[string][]string{{"token": {}}}
	return humago.New(mux, config)
}

// NotFound answers a path that nobody serves with the body of an error.
func NotFound(w http.ResponseWriter, r *http.Request) { writeError(w, r, noRoute(r)) }

// Unavailable answers a request that may succeed in a moment.
func Unavailable(w http.ResponseWriter, r *http.Request, message string) {
	writeError(w, r, &api.ServiceError{
		Status: http.StatusServiceUnavailable, Type: string(setops.Fault), Code: string(setops.ServerFailure), Message: message, Temporary: true,
	})
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if err := s.Ready(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ready\n"))
}

// observe gives every request an id, logs it, and turns a panic into an answer.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := newRequestID()
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		w.Header().Set("X-Request-Id", id)
		w.Header().Set(api.VersionHeader, s.Version)
		w.Header().Set(api.APIVersionHeader, api.Version)
		began := time.Now()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.Logger.Error("panic", "request", id, "method", r.Method, "path", loggedPath(r.URL.Path), "panic", p, "stack", string(debug.Stack()))
				writeError(w, r, internal())
			}
			s.Logger.Debug("request", "request", id, "method", r.Method, "path", loggedPath(r.URL.Path), "took", time.Since(began))
		}()
		next.ServeHTTP(w, r)
	})
}

// loggedPath leaves out what opens an invitation: whoever reads the log shall not be able to accept it.
func loggedPath(path string) string {
	if strings.HasPrefix(path, api.InvitationsPath) {
		return api.InvitationsPath + "…"
	}
	return path
}

// join sends a request to the API or, where it is not the API's, to next. ServeMux's own answers are texts; ours are the
// body of an error.
func join(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own, pattern := mux.Handler(r)
		ours := next == nil || strings.HasPrefix(r.URL.Path, "/"+api.Version+"/")
		switch {
		case pattern == "" && !ours:
			next.ServeHTTP(w, r)
		case pattern == "":
			refuseRoute(w, r, own)
		case path.Clean(r.URL.Path) != r.URL.Path:
			NotFound(w, r) // ServeMux would redirect
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// refuseRoute answers what ServeMux has no route for: it knows whether another method would do.
func refuseRoute(w http.ResponseWriter, r *http.Request, own http.Handler) {
	said := refusal{header: http.Header{}}
	own.ServeHTTP(&said, r)
	e := noRoute(r)
	if allow := said.header.Get("Allow"); said.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", allow)
		e.Status, e.Message = said.status, r.URL.Path+" takes "+allow+", not "+r.Method
	}
	writeError(w, r, e)
}

// refusal keeps what ServeMux says instead of sending it.
type refusal struct {
	header http.Header
	status int
}

func (f *refusal) Header() http.Header         { return f.header }
func (f *refusal) WriteHeader(status int)      { f.status = status }
func (f *refusal) Write(p []byte) (int, error) { return len(p), nil }

type requestIDKey struct{}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// newRequestID gives 8 characters: 40 random bits.
func newRequestID() string {
	b := make([]byte, 5)
	rand.Read(b)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

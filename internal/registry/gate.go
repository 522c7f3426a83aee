package registry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/opencontainers/go-digest"
)

// versionHeader is what Docker knows a registry by.
const versionHeader = "Docker-Distribution-Api-Version"

// ServeHTTP serves /v2/ and everything below. A request passes, in order:
//
//	route      what is asked for            404 when the protocol has no such thing
//	identify   who asks                     401 with where to get a token
//	admit      may they do that             403 with a sentence
//	limit      how much may be sent         413 with a sentence
//	check      is it well formed            400 with a sentence
//	rely       what must stay               404 when it is being removed
//	store      distribution does it         5xx translated, its details logged
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set(versionHeader, "registry/2.0")
	rt, found := routeOf(req)
	if !found {
		r.refuse(w, req, refusal{
			status: http.StatusNotFound, code: codeUnsupported,
			sentence: "the registry has nothing at this address",
		})
		return
	}
	who, err := r.identify(req)
	if err != nil {
		r.refuse(w, req, authenticationRefusal(err, r.challenge(req, rt, err)))
		return
	}
	if rt.writes() {
		r.serveWrite(w, req, rt, who)
		return
	}
	if problem := r.admit(req, rt, who); problem != nil {
		r.refuse(w, req, *problem)
		return
	}
	if problem := r.relyOnRead(req.Context(), rt); problem != nil {
		r.refuse(w, req, *problem)
		return
	}
	r.store(w, req, rt, who, nil)
}

// serveWrite makes a writing request known first, so that removing its
// repository can stop it.
func (r *Registry) serveWrite(w http.ResponseWriter, req *http.Request, rt route, who Identity) {
	p := r.pushes.begin(rt.repository, w)
	if p == nil {
		r.refuse(w, req, removedRefusal(rt.repository))
		return
	}
	defer r.pushes.end(p)
	if problem := r.admit(req, rt, who); problem != nil {
		r.refuse(w, req, *problem)
		return
	}
	req = r.withCheckedMount(req, rt, who)
	body, problem := r.limit(req, rt)
	if problem != nil {
		r.dropUpload(req.Context(), rt)
		r.refuse(w, req, *problem)
		return
	}
	var named []digest.Digest
	if req.Body, named, problem = checkedRequest(req, rt, body); problem != nil {
		r.refuse(w, req, *problem)
		return
	}
	stored, problem := r.relyOnWritten(req, rt, named)
	if problem != nil {
		r.refuse(w, req, *problem)
		return
	}
	defer stored()
	r.store(w, req, rt, who, func() failure {
		return failure{push: p, body: body}
	})
}

// admit asks whether the sender may do this; nil means yes.
func (r *Registry) admit(req *http.Request, rt route, who Identity) *refusal {
	err := r.authorize(req.Context(), rt, who)
	if err == nil {
		return nil
	}
	no := authorizationRefusal(err)
	if rt.name == v2.RouteNameBlob && req.Method == http.MethodHead && no.status == http.StatusForbidden {
		// Pushing begins with this question, whose answer has no room for a
		// sentence. After "no such blob" the client starts an upload, and
		// prints how that is refused.
		no.status = http.StatusNotFound
	}
	return &no
}

func (r *Registry) authorize(ctx context.Context, rt route, who Identity) error {
	switch {
	case rt.name == v2.RouteNameBase:
		return nil
	case rt.name == v2.RouteNameCatalog:
		return Denied("this registry does not list its repositories; setops app lists the apps of a stage")
	case !hasFourParts(rt.repository):
		return Denied("%q is no repository here: they are named ORGANIZATION/PROJECT/STAGE/APP", rt.repository)
	default:
		return r.config.Authorizer.Authorize(ctx, who, rt.repository, rt.action)
	}
}

// withCheckedMount returns the request as distribution may see it. Mounting a
// blob of another repository needs the right to pull there; without it the
// request becomes the start of an ordinary upload, as the protocol suggests.
func (r *Registry) withCheckedMount(req *http.Request, rt route, who Identity) *http.Request {
	req = req.Clone(req.Context())
	if rt.name != v2.RouteNameBlobUpload {
		return req
	}
	query := req.URL.Query()
	from := query.Get("from")
	if from == "" {
		return req
	}
	err := r.config.Authorizer.Authorize(req.Context(), who, from, Pull)
	if err == nil && hasFourParts(from) {
		return req
	}
	query.Del("from")
	query.Del("mount")
	req.URL.RawQuery = query.Encode()
	return req
}

// store lets distribution answer. describe says after a fault what is known
// about a writing request; it is nil for a reading one.
func (r *Registry) store(w http.ResponseWriter, req *http.Request, rt route, who Identity, describe func() failure) {
	started := time.Now()
	w.Header().Del(versionHeader) // distribution adds it again
	answer := &answerWriter{ResponseWriter: w}
	if rt.upload != "" && req.Method == http.MethodPatch {
		answer.kept = func(header http.Header) bool { return r.holdsRange(req.Context(), rt, header.Get("Range")) }
	}
	r.app.ServeHTTP(answer, req)
	if answer.failed() {
		f := failure{}
		if describe != nil {
			f = describe()
		}
		r.answerFailure(w, req, rt, f, answer)
		return
	}
	attributes := []slog.Attr{
		slog.String("user", who.User), slog.String("repository", rt.repository),
		slog.String("method", req.Method), slog.Int("status", answer.status),
		slog.Duration("duration", time.Since(started)),
	}
	if rt.name == v2.RouteNameManifest && answer.status == http.StatusCreated {
		attributes = append(attributes, slog.String("reference", rt.reference),
			slog.String("digest", w.Header().Get("Docker-Content-Digest")))
		r.log.LogAttrs(req.Context(), slog.LevelInfo, "image pushed", attributes...)
		return
	}
	r.log.LogAttrs(req.Context(), slog.LevelDebug, "registry request", attributes...)
}

// refuse answers without distribution.
func (r *Registry) refuse(w http.ResponseWriter, req *http.Request, f refusal) {
	level := slog.LevelDebug
	if f.cause != nil {
		level = slog.LevelError
	}
	r.log.LogAttrs(req.Context(), level, "registry request refused",
		slog.String("method", req.Method), slog.String("path", req.URL.Path),
		slog.Int("status", f.status), slog.String("reason", f.sentence), slog.Any("cause", f.cause))
	f.send(w)
}

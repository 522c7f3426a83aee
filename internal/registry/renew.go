package registry

import (
	"context"
	"net/http"
	"net/url"
	"path"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/opencontainers/go-digest"
)

// The time of a link, and of a blob's data, says when it was pushed or last
// asked for. Collect removes only what is old by then, and looks again while it
// holds Registry.sweep. So whoever makes a thing young, under that lock's other
// side, can rely on it: a client that was told of a blob has the rest of its
// push to refer to it. Nothing here waits for a client while it holds the lock.

// relyOnRead makes young what a reading request asks for, and refuses what is
// being removed.
func (r *Registry) relyOnRead(ctx context.Context, rt route) *refusal {
	switch rt.name {
	case v2.RouteNameBlob:
		return fault(r.relyOnBlob(ctx, rt.repository, digest.Digest(rt.digest)))
	case v2.RouteNameManifest:
		return r.relyOnReference(ctx, rt)
	}
	return nil
}

// relyOnReference leaves it to distribution to say that there is no such tag
// or digest.
func (r *Registry) relyOnReference(ctx context.Context, rt route) *refusal {
	d := digest.Digest(rt.reference)
	if d.Validate() != nil {
		var err error
		if d, err = r.readLink(ctx, tagLink(rt.repository, rt.reference)); err != nil || d == "" {
			return fault(err)
		}
	}
	ref := Reference{rt.repository, d.String()}
	_, err := r.relyOnManifest(ctx, ref)
	if err == nil && r.condemned.holds(ref) {
		return &refusal{
			status: http.StatusNotFound, code: codeManifestUnknown,
			sentence: "nothing names this image any more and it is being removed; push it again",
		}
	}
	return fault(err)
}

// relyOnManifest reports whether the manifest is there to stay.
func (r *Registry) relyOnManifest(ctx context.Context, ref Reference) (bool, error) {
	r.sweep.RLock()
	defer r.sweep.RUnlock()
	if r.condemned.holds(ref) {
		return false, nil
	}
	return r.images.renew(ctx, revisionLink(ref))
}

func (r *Registry) relyOnBlob(ctx context.Context, repository string, d digest.Digest) error {
	r.sweep.RLock()
	defer r.sweep.RUnlock()
	return r.renewBlob(ctx, repository, d)
}

// relyOnWritten makes young what a writing request builds upon; named is the
// manifest that it puts, and what that refers to. The function that it returns
// is to be called when the request is answered.
func (r *Registry) relyOnWritten(req *http.Request, rt route, named []digest.Digest) (stored func(), problem *refusal) {
	ctx, query := req.Context(), req.URL.Query()
	switch {
	case len(named) > 0:
		return r.relyOnNamed(ctx, rt.repository, named)
	case rt.name == v2.RouteNameBlobUpload && query.Get("mount") != "":
		return func() {}, fault(r.relyOnMount(ctx, query))
	case rt.upload != "" && req.Method == http.MethodPut:
		again := func() {
			// Also where the client does not wait for the answer.
			if err := r.relyOnUpload(context.WithoutCancel(ctx), rt, query); err != nil {
				r.log.Error("keep an uploaded layer from being collected", "repository", rt.repository, "error", err)
			}
		}
		return again, fault(r.relyOnUpload(ctx, rt, query))
	}
	return func() {}, nil
}

// relyOnNamed pardons the manifest and those that it refers to. Nothing is
// removed until it is stored, which is soon: all of it has been received.
func (r *Registry) relyOnNamed(ctx context.Context, repository string, named []digest.Digest) (func(), *refusal) {
	r.sweep.RLock()
	for _, d := range named {
		ref := Reference{repository, d.String()}
		r.condemned.pardon(ref)
		_, err := r.images.renew(ctx, revisionLink(ref))
		if err == nil {
			err = r.renewBlob(ctx, repository, d)
		}
		if err != nil {
			r.sweep.RUnlock()
			return nil, fault(err)
		}
	}
	return r.sweep.RUnlock, nil
}

// relyOnMount is for a blob of another repository.
func (r *Registry) relyOnMount(ctx context.Context, query url.Values) error {
	if _, err := parseName(query.Get("from"), 4, 4); err != nil {
		return nil // distribution begins an upload then
	}
	return r.relyOnBlob(ctx, query.Get("from"), digest.Digest(query.Get("mount")))
}

// relyOnUpload is for the last request of an upload. Its layer may be there
// already; else it gets the time at which the last byte of it came.
func (r *Registry) relyOnUpload(ctx context.Context, rt route, query url.Values) error {
	r.sweep.RLock()
	defer r.sweep.RUnlock()
	if _, err := r.images.renew(ctx, path.Join(uploadDir(rt), "data")); err != nil {
		return err
	}
	return r.renewBlob(ctx, rt.repository, digest.Digest(query.Get("digest")))
}

// renewBlob makes a blob young, and the link to it. Registry.sweep is held.
func (r *Registry) renewBlob(ctx context.Context, repository string, d digest.Digest) error {
	if d.Validate() != nil {
		return nil
	}
	link := layerLink(repository, d)
	target, err := r.readLink(ctx, link)
	if err != nil {
		return err
	}
	if target == "" {
		target = d
	}
	if _, err := r.images.renew(ctx, link); err != nil {
		return err
	}
	_, err = r.images.renew(ctx, blobData(target))
	return err
}

// fault refuses what the storage could not do; nil where it could.
func fault(err error) *refusal {
	if err == nil {
		return nil
	}
	return &refusal{
		status: http.StatusInternalServerError, code: codeUnknown,
		sentence: sentenceOfFault, cause: err,
	}
}

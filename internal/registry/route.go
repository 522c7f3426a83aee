package registry

import (
	"net/http"
	"path"
	"regexp"
	"strings"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
)

// route is what a request asks for, found with the very routes that
// distribution uses, so that gate and storage cannot disagree.
type route struct {
	name       string // one of v2.RouteName…
	repository string // empty for the base and the catalog
	reference  string // tag or digest of a manifest
	digest     string // of a blob
	upload     string // id of the upload that is continued
	action     Action
}

// uploadID is how distribution names uploads. Ids become part of file names,
// and the pattern of the route allows dots.
var uploadID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// contentRange is how the protocol writes it; HTTP would have a unit and a total.
var contentRange = regexp.MustCompile(`^[0-9]{1,18}-[0-9]{1,18}$`)

// routeOf returns false when the protocol has no such address.
func routeOf(r *http.Request) (route, bool) {
	var match mux.RouteMatch
	if !v2.Router().Match(r, &match) || match.Route == nil || !isClean(r.URL.Path) {
		return route{}, false
	}
	found := route{
		name:       match.Route.GetName(),
		repository: match.Vars["name"],
		reference:  match.Vars["reference"],
		digest:     match.Vars["digest"],
	}
	if id := match.Vars["uuid"]; uploadID.MatchString(id) {
		found.upload = id
	}
	found.action = actionOf(r.Method, found.isUpload())
	return found, true
}

func (rt route) isUpload() bool {
	return rt.name == v2.RouteNameBlobUpload || rt.name == v2.RouteNameBlobUploadChunk
}

func (rt route) putsManifest(method string) bool {
	return rt.name == v2.RouteNameManifest && method == http.MethodPut
}

// writes says whether the request may change the repository.
func (rt route) writes() bool { return rt.repository != "" && rt.action != Pull }

// scope is what a token for this request would have to allow, as the protocol
// writes it. Ours allow nothing by themselves: the clients want to see it.
func (rt route) scope() string {
	switch {
	case rt.repository == "":
		return ""
	case rt.action == Push:
		return "repository:" + rt.repository + ":pull,push"
	default:
		return "repository:" + rt.repository + ":" + string(rt.action)
	}
}

// actionOf takes cancelling an upload for a part of pushing.
func actionOf(method string, upload bool) Action {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return Pull
	case http.MethodDelete:
		if !upload {
			return Delete
		}
	}
	return Push
}

// hasFourParts says whether a repository is named as ours are.
func hasFourParts(repository string) bool {
	return strings.Count(repository, "/") == 3
}

func isClean(p string) bool {
	return strings.TrimSuffix(p, "/") == path.Clean(p)
}

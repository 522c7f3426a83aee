package daemon

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyWhatNeedsTheEngineIsPassedOn(t *testing.T) {
	const stage = "/v1/organizations/demo/projects/shop/stages/production"
	for request, want := range map[[2]string]bool{
		{http.MethodGet, "/healthz"}:                                     false,
		{http.MethodPost, "/v1/sessions"}:                                false,
		{http.MethodPut, "/v2/demo/shop/production/web/manifests/1"}:     false,
		{http.MethodGet, "/v1/organizations/demo/projects"}:              false,
		{http.MethodDelete, "/v1/organizations/demo/projects/shop"}:      true,
		{http.MethodGet, "/v1/organizations/demo/projects/shop"}:         false,
		{http.MethodPost, "/v1/organizations/demo/projects/shop/stages"}: false,
		{http.MethodDelete, stage}:                                       true,
		{http.MethodGet, stage}:                                          false,
		{http.MethodGet, stage + "/apps"}:                                false,
		{http.MethodGet, stage + "/apps/web"}:                            true,
		{http.MethodGet, stage + "/apps/web/releases"}:                   false,
		{http.MethodGet, stage + "/apps/web/status"}:                     true,
		{http.MethodPost, stage + "/apps/web/tasks"}:                     true,
		{http.MethodGet, stage + "/apps/web/log/events"}:                 true,
		{http.MethodGet, stage + "/changeset"}:                           false,
		{http.MethodGet, stage + "/changeset/diff"}:                      true,
		{http.MethodGet, stage + "/changeset/plan"}:                      true,
		{http.MethodPost, stage + "/changeset/commands"}:                 false,
		{http.MethodDelete, stage + "/changeset/commands/1"}:             false,
		{http.MethodPost, stage + "/commits"}:                            false,
		{http.MethodGet, stage + "/commits/c0ffee"}:                      false,
		{http.MethodGet, stage + "/commits/c0ffee/events"}:               false,
		{http.MethodGet, stage + "/commits/c0ffee/details"}:              true,
		{http.MethodPost, stage + "/commits/c0ffee/cancel"}:              false,
		{http.MethodPost, stage + "/commits/c0ffee/revert"}:              true,
	} {
		if got := needsEngine(request[0], request[1]); got != want {
			t.Errorf("%s %s: %v", request[0], request[1], got)
		}
	}
}

func TestAPushIntoABucketIsTheKeepers(t *testing.T) {
	c := &core{Daemon: &Daemon{Config: Config{Bucket: BucketConfig{Name: "images"}}}}
	for request, want := range map[[2]string]bool{
		{http.MethodPost, "/v2/demo/shop/prod/web/blobs/uploads/"}: true,
		{http.MethodPut, "/v2/demo/shop/prod/web/manifests/v1"}:    true,
		{http.MethodGet, "/v2/demo/shop/prod/web/manifests/v1"}:    false,
		{http.MethodHead, "/v2/"}:                                  false,
		{http.MethodPost, "/v1/organizations/demo/projects"}:       false,
	} {
		r := httptest.NewRequest(request[0], request[1], nil)
		if got := c.pushes(r); got != want {
			t.Errorf("%s %s: %v", request[0], request[1], got)
		}
		if onDisk := (&core{Daemon: &Daemon{}}); onDisk.pushes(r) {
			t.Errorf("%s %s is the keeper's, too, where images are in a directory that both have", request[0], request[1])
		}
	}
}

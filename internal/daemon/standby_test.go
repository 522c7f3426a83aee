package daemon

import (
	"net/http"
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

package meter

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestARequestIsNamedAsTheClustersRolesDo(t *testing.T) {
	for request, want := range map[string]string{
		"GET /api/v1/pods?labelSelector=a&watch=true":            "watch pods of all namespaces",
		"GET /api/v1/pods?limit=500":                             "list pods of all namespaces",
		"GET /api/v1/namespaces/shop/services?labelSelector=a":   "list services",
		"GET /api/v1/namespaces/shop":                            "get namespaces",
		"PATCH /api/v1/namespaces/shop?force=true":               "patch namespaces",
		"GET /api/v1/namespaces/shop/pods/web-1/log?follow=true": "get pods/log",
		"PATCH /apis/apps/v1/namespaces/shop/deployments/web-g1": "patch deployments",
		"DELETE /apis/batch/v1/namespaces/shop/jobs":             "deletecollection jobs",
		"GET /version": "get /version",
	} {
		method, target, _ := strings.Cut(request, " ")
		if got := name(httptest.NewRequest(method, target, nil)); got != want {
			t.Errorf("%s is %q, not %q", request, got, want)
		}
	}
}

func TestCountsAreComparedWithoutSome(t *testing.T) {
	c := Counts{"get pods/log": 20, "watch pods of all namespaces": 1, "patch services": 2}
	left := c.Without("pods/log", "watch")
	if left.String() != "2 × patch services" || left.Sum() != 2 || c.Sum() != 23 {
		t.Errorf("%s of %s", left, c)
	}
}

func TestWhatIsAskedOfOtherNamespacesCanBeLeftOut(t *testing.T) {
	for path, want := range map[string]bool{
		"/api/v1/pods":                                    false,
		"/api/v1/namespaces/shop/pods":                    false,
		"/api/v1/namespaces/shop":                         false,
		"/apis/apps/v1/namespaces/shop-2/deployments/web": true,
		"/api/v1/namespaces/other":                        true,
	} {
		if got := isElsewhere(path, "shop"); got != want {
			t.Errorf("%s is elsewhere: %v", path, got)
		}
		if isElsewhere(path, "") {
			t.Errorf("%s is left out where everything counts", path)
		}
	}
}

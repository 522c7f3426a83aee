package kube_test

import (
	"errors"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/kube"
)

func TestNothingIsChangedOnAClusterThatAnotherServerMayKeep(t *testing.T) {
	open, got := newAPI(t, `{"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a"}}`)
	var over error
	api, err := open.Guarded(func() error { return over })
	if err != nil {
		t.Fatal(err)
	}
	read := func() error {
		_, err := api.Core.Namespaces().Get(t.Context(), "a", meta.GetOptions{})
		return err
	}
	change := func(api kube.API) error { return api.Core.Namespaces().Delete(t.Context(), "a", meta.DeleteOptions{}) }
	if err := errors.Join(read(), change(api)); err != nil || got.method != "DELETE" {
		t.Errorf("while it holds: %v; the last request is %s", err, got.method)
	}
	over = errors.New("its time is over")
	if err := read(); err != nil {
		t.Errorf("what is only read: %v", err)
	}
	if err := change(api); !errors.Is(err, over) || got.method != "GET" {
		t.Errorf("what is changed: %v; the last request is %s", err, got.method)
	}
	if err := change(open); err != nil || got.method != "DELETE" {
		t.Errorf("the clients that do not ask: %v; the last request is %s", err, got.method)
	}
}

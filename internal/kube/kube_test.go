package kube_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/setopsco/setops/internal/kube"
)

// asked is what the API server of a test has got.
type asked struct{ method, uri, contentType, body string }

// newAPI is a cluster whose server notes a request and answers it with the object.
func newAPI(t *testing.T, answer string) (kube.API, *asked) {
	t.Helper()
	got := &asked{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = asked{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), string(body)}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	api, err := kube.New(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return api, got
}

func TestWhatIsAppliedIsWhatWeSay(t *testing.T) {
	api, got := newAPI(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop","uid":"u1"}}`)
	made, err := api.Core.Services("shop").Apply(t.Context(), &core.Service{
		ObjectMeta: meta.ObjectMeta{Name: "web", Namespace: "shop"},
		Spec:       core.ServiceSpec{Selector: map[string]string{"app": "web"}},
		Status:     core.ServiceStatus{LoadBalancer: core.LoadBalancerStatus{Ingress: []core.LoadBalancerIngress{{IP: "192.0.2.1"}}}},
	}, meta.ApplyOptions{FieldManager: "setops", Force: true})
	if err != nil || made.UID != "u1" {
		t.Fatalf("got %+v, %v", made, err)
	}
	want := asked{
		"PATCH", "/api/v1/namespaces/shop/services/web?fieldManager=setops&force=true", "application/apply-patch+yaml",
		`{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop"},"spec":{"selector":{"app":"web"}}}`,
	}
	var said, wanted any
	if json.Unmarshal([]byte(got.body), &said) != nil || json.Unmarshal([]byte(want.body), &wanted) != nil || !reflect.DeepEqual(said, wanted) {
		t.Errorf("applied %s\nand not %s", got.body, want.body)
	}
	if got.body = want.body; *got != want {
		t.Errorf("asked for %+v", *got)
	}
}

func TestLogsAndProgramsOfAPodAreAskedForByItsName(t *testing.T) {
	api, _ := newAPI(t, "{}")
	pods := api.Core.Pods("shop")
	for want, got := range map[string]*rest.Request{
		"/api/v1/namespaces/shop/pods/web-1/log?container=app&follow=true": pods.GetLogs("web-1", &core.PodLogOptions{Container: "app", Follow: true}),
		"/api/v1/namespaces/shop/pods/web-1/exec?command=sh&command=-c&container=app&stdout=true": pods.Exec("web-1", &core.PodExecOptions{
			Container: "app", Command: []string{"sh", "-c"}, Stdout: true,
		}),
		"/api/v1/namespaces/shop/pods/web-1/attach?container=app&stdin=true&tty=true": pods.Attach("web-1", &core.PodAttachOptions{
			Container: "app", Stdin: true, TTY: true,
		}),
	} {
		if got.URL().RequestURI() != want {
			t.Errorf("asked for %s and not %s", got.URL(), want)
		}
	}
}

func TestWhatIsAskedOfAllNamespacesNamesNone(t *testing.T) {
	api, got := newAPI(t, `{"apiVersion":"apps/v1","kind":"DeploymentList","items":[{"metadata":{"name":"web-g1"}}]}`)
	all, err := api.Apps.Deployments("").List(t.Context(), meta.ListOptions{LabelSelector: "a=b"})
	if err != nil || len(all.Items) != 1 || got.uri != "/apis/apps/v1/deployments?labelSelector=a%3Db" {
		t.Errorf("%+v, %v, by %s", all, err, got.uri)
	}
}

func TestAClusterThatNobodyNamesIsAnErrorThatSaysSo(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := kube.Connect(""); err == nil || !strings.Contains(err.Error(), "does not run in a cluster") {
		t.Error(err)
	}
	missing := filepath.Join(t.TempDir(), "kubeconfig")
	if _, err := kube.Connect(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Error(err)
	}
	if err := os.WriteFile(missing, []byte("clusters: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.Connect(missing); err == nil {
		t.Error("what is no kubeconfig was taken for one")
	}
}

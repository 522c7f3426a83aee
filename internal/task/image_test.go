package task_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/task"
)

// registry has images by their tags, all in the repository of app web; of that with the tag lost only the tag is left.
type registry map[string]string

func (r registry) Exists(_ context.Context, repository, digest string) (bool, error) {
	for tag, d := range r {
		if d == digest && tag != "lost" {
			return repository == "demo/shop/production/web", nil
		}
	}
	return false, nil
}

func (r registry) Digest(_ context.Context, _, tag string) (string, bool, error) {
	digest, ok := r[tag]
	return digest, ok, nil
}

func (r registry) Tags(context.Context, string) ([]string, error) {
	return []string{"lost", "v1", "v2"}, nil
}

func TestATaskRunsAnImageByItsTagOrDigestWithoutARelease(t *testing.T) {
	digest := func(n int) string { return fmt.Sprintf("sha256:%064x", n) }
	images := registry{"v1": digest(1), "v2": digest(2), "lost": digest(3)}
	app := web()
	app.Releases = []setops.Release{{ID: 4, Digest: digest(2), Tag: "old"}, {ID: 5, Digest: digest(2)}}
	app.ActiveRelease = 0
	for _, test := range []struct {
		r           task.Request
		digest, tag string
		release     int
		refusal     string
	}{
		{task.Request{Image: "v1"}, digest(1), "v1", 0, ""},
		{task.Request{Image: "v2"}, digest(2), "v2", 5, ""},
		{task.Request{Image: digest(1)}, digest(1), "", 0, ""},
		{task.Request{Image: "v3"}, "", "", 0, "there is no image with the tag v3 in demo/shop/production/web; it has lost, v1, v2"},
		{task.Request{Image: "lost"}, "", "", 0, "there is no image with the tag lost"},
		{task.Request{Image: digest(9)}, "", "", 0, "there is no image " + digest(9)},
		{task.Request{Image: "no tag"}, "", "", 0, `"no tag" is no tag`},
		{task.Request{Image: "v1", Release: 4}, "", "", 0, "name one of them"},
	} {
		w := &world{}
		s := service(w)
		s.Images = images
		_, err := s.Run(t.Context(), stage, ada, app, test.r)
		if test.refusal != "" {
			if !setops.IsCode(err, setops.ValidationFailed) || !strings.Contains(err.Error(), test.refusal) || w.ran.ID != "" {
				t.Errorf("%+v: %v", test.r, err)
			}
			continue
		}
		if err != nil || w.ran.Container.Image.Digest != test.digest || w.ran.Tag != test.tag || w.ran.Release != test.release {
			t.Errorf("%+v: %+v, %v", test.r, w.ran, err)
		}
	}
}

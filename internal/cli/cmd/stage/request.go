package stage

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
)

// secretVariable begins the name of a variable of the environment that says what a secret is.
const secretVariable = "SETOPS_SECRET_"

// request reads what is to be applied.
func (o *applyOptions) request() (api.ApplyDefinition, error) {
	r := api.ApplyDefinition{Force: o.force}
	if o.file == "" && len(o.images) == 0 {
		return r, &kit.Usage{Message: "`setops stage:apply` needs a definition.", Next: "Add -f FILE, or -t APP=TAG to change images only."}
	}
	if err := o.read(&r); err != nil {
		return r, err
	}
	for _, image := range o.images {
		app, tag, _ := strings.Cut(image, "=")
		if app == "" || tag == "" {
			return r, &kit.Usage{Message: fmt.Sprintf("-t cannot be %q.", image), Next: "Write it as APP=TAG, several of them with commas."}
		}
		if other, twice := r.ImageTags[app]; twice && other != tag {
			return r, &kit.Usage{Message: fmt.Sprintf("-t names %s and %s for app %s.", other, tag, app), Next: "An app runs one image."}
		}
		if r.ImageTags == nil {
			r.ImageTags = map[string]string{}
		}
		r.ImageTags[app] = tag
	}
	return r, nil
}

// read reads the file, and the secrets that it could refer to from the environment.
func (o *applyOptions) read(r *api.ApplyDefinition) error {
	if o.file == "" {
		r.File = "-t" // where what is wrong stands
		return nil
	}
	var text []byte
	var err error
	r.File = o.file
	if o.file == "-" {
		r.File = "stdin"
		text, err = io.ReadAll(o.kit.In)
	} else {
		text, err = os.ReadFile(o.file)
	}
	if err != nil {
		return &kit.Failure{
			Message: kit.Sentence(fmt.Sprintf("the definition cannot be read: %v", err)),
			Next:    "Name a file that is there with -f FILE; `setops -p PROJECT -s STAGE stage:dump > FILE` writes one.",
			Err:     err,
		}
	}
	if len(strings.TrimSpace(string(text))) == 0 { // to the API that would mean: no definition
		return &kit.Failure{Message: fmt.Sprintf("%s is empty.", r.File), Next: "A definition begins with schema_version: \"2\"; `setops stage:dump` prints one."}
	}
	r.Definition = string(text)
	for _, name := range api.SecretNames(r.Definition) {
		if value := o.kit.Getenv(secretVariable + name); value != "" {
			if r.Secrets == nil {
				r.Secrets = map[string]string{}
			}
			r.Secrets[name] = value
		}
	}
	return nil
}

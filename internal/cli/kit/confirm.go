package kit

import (
	"errors"
	"fmt"
	"io"

	"github.com/setopsco/setops/pkg/api"
)

// HasCode says whether the server refused with that code.
func HasCode(err error, code string) bool {
	var e *api.ServiceError
	return errors.As(err, &e) && e.HasCode(code)
}

// Unconfirmed refuses to destroy what --force did not confirm.
func Unconfirmed(what string) error {
	return &Failure{
		Message: fmt.Sprintf("🔴 This destroys %s. It cannot be undone.", what),
		Next:    "Add --force to confirm.",
		Plain:   true,
	}
}

// ShowDestroyed says that something is gone; what names it in a sentence.
func (k *Kit) ShowDestroyed(name, what string) error {
	return k.Show(api.Destroyed{Name: name}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "✅ Destroyed %s.\n", what)
		return err
	})
}

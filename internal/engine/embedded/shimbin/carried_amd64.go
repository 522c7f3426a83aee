//go:build shim

package shimbin

import _ "embed"

//go:embed setops-shim_amd64.gz
var carried []byte

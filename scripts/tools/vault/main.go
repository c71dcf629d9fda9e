// Vault's own core, HTTP interface, transit engine and AppRole, with storage in memory: initialised and unsealed, it prints
// its address and its root token.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/transit"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

func main() {
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr})
	store, err := inmem.NewInmem(nil, log)
	check(err)
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           store,
		LogicalBackends:    map[string]logical.Factory{"transit": transit.Factory},
		CredentialBackends: map[string]logical.Factory{"approle": approle.Factory},
		BuiltinRegistry:    builtin{},
		DisableMlock:       true,
		Logger:             log,
	})
	check(err)
	ctx := context.Background()
	made, err := core.Initialize(ctx, &vault.InitParams{BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}, RecoveryConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}})
	check(err)
	_, err = core.Unseal(made.SecretShares[0])
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("%s %s\n", listener.Addr(), made.RootToken)
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{Address: listener.Addr().String()}})
	check(http.Serve(listener, handler))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type builtin struct{}

func (builtin) Contains(name string, kind consts.PluginType) bool {
	return (name == "transit" && kind == consts.PluginTypeSecrets) || (name == "approle" && kind == consts.PluginTypeCredential)
}

func (b builtin) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	if !b.Contains(name, kind) {
		return nil, false
	}
	return func() (interface{}, error) {
		if name == "transit" {
			return logical.Factory(transit.Factory), nil
		}
		return logical.Factory(approle.Factory), nil
	}, true
}

func (builtin) Keys(kind consts.PluginType) []string { return nil }

func (b builtin) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

func (builtin) IsBuiltinEntPlugin(name string, kind consts.PluginType) bool { return false }

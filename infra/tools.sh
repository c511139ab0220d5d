# Tools for infra/check and infra/release, which source this in infra: each installed once and pinned, below infra/.tools
# (or INFRA_TOOLS); those of the CDK below infra/cdk/node_modules.
tools=${INFRA_TOOLS:-$PWD/.tools}
export PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir -p "$tools"

# A virtual environment with just these packages.
install_python() {
    local folder=$tools/$1
    shift
    [[ -f $folder/installed && $(<"$folder/installed") == "$*" ]] && return
    python3 -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet "$@"
    echo "$*" >"$folder/installed"
}

install_cdk() {
    local lock
    lock=$(sha256sum cdk/package-lock.json)
    if [[ ! -f cdk/node_modules/installed || $(<cdk/node_modules/installed) != "$lock" ]]; then
        (cd cdk && npm ci --silent --no-fund --no-audit)
        echo "$lock" >cdk/node_modules/installed
    fi
}

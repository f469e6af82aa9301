//! Provisioner types that no engine builds yet: their names and keys, so that a misspelt key is found today.

/// Type, its keys, and those of them that are required.
pub type OtherType = (&'static str, &'static [&'static str], &'static [&'static str]);

/// All of them, as Vagrant has them. `docker` and `podman` write Vagrant's `run` as `run_container`, for `run` says when.
#[rustfmt::skip]
pub const OTHER_TYPES: &[OtherType] = &[
    ("ansible", &[
        "playbook", "compatibility_mode", "become", "become_user", "config_file", "extra_vars", "galaxy_role_file",
        "galaxy_roles_path", "galaxy_command", "groups", "host_vars", "inventory_path", "limit", "playbook_command",
        "raw_arguments", "skip_tags", "tags", "start_at_task", "vault_password_file", "verbose", "version", "ask_become_pass",
        "ask_vault_pass", "force_remote_user", "host_key_checking", "raw_ssh_args",
    ], &["playbook"]),
    ("ansible_local", &[
        "playbook", "compatibility_mode", "become", "become_user", "config_file", "extra_vars", "galaxy_role_file",
        "galaxy_roles_path", "galaxy_command", "groups", "host_vars", "inventory_path", "limit", "playbook_command",
        "raw_arguments", "skip_tags", "tags", "start_at_task", "vault_password_file", "verbose", "version", "install",
        "install_mode", "pip_args", "pip_install_cmd", "provisioning_path", "tmp_path",
    ], &["playbook"]),
    ("docker", &[
        "images", "pull_images", "build_image", "run_container", "post_install_provision",
    ], &[]),
    ("podman", &[
        "images", "pull_images", "build_image", "run_container", "post_install_provision", "kubic",
    ], &[]),
    ("puppet", &[
        "manifest_file", "manifests_path", "environment", "environment_path", "environment_variables", "module_path",
        "hiera_config_path", "facter", "structured_facts", "options", "binary_path", "synced_folder_type", "synced_folder_args",
        "temp_dir", "working_directory",
    ], &[]),
    ("puppet_server", &[
        "puppet_server", "puppet_node", "client_cert_path", "client_private_key_path", "facter", "options", "binary_path",
    ], &[]),
    ("chef_solo", &[
        "product", "channel", "version", "install", "omnibus_url", "installer_download_path", "log_level", "binary_path",
        "binary_env", "run_list", "add_recipe", "add_role", "json", "attempts", "environment", "node_name", "provisioning_path",
        "file_cache_path", "file_backup_path", "formatter", "http_proxy", "http_proxy_user", "http_proxy_pass", "https_proxy",
        "https_proxy_user", "https_proxy_pass", "no_proxy", "verbose_logging", "enable_reporting", "custom_config_path",
        "encrypted_data_bag_secret_key_path", "arguments", "cookbooks_path", "data_bags_path", "nodes_path", "roles_path",
        "environments_path", "recipe_url", "synced_folder_type", "legacy_mode",
    ], &[]),
    ("chef_zero", &[
        "product", "channel", "version", "install", "omnibus_url", "installer_download_path", "log_level", "binary_path",
        "binary_env", "run_list", "add_recipe", "add_role", "json", "attempts", "environment", "node_name", "provisioning_path",
        "file_cache_path", "file_backup_path", "formatter", "http_proxy", "http_proxy_user", "http_proxy_pass", "https_proxy",
        "https_proxy_user", "https_proxy_pass", "no_proxy", "verbose_logging", "enable_reporting", "custom_config_path",
        "encrypted_data_bag_secret_key_path", "arguments", "cookbooks_path", "data_bags_path", "nodes_path", "roles_path",
        "environments_path", "recipe_url", "synced_folder_type",
    ], &[]),
    ("chef_client", &[
        "product", "channel", "version", "install", "omnibus_url", "installer_download_path", "log_level", "binary_path",
        "binary_env", "run_list", "add_recipe", "add_role", "json", "attempts", "environment", "node_name", "provisioning_path",
        "file_cache_path", "file_backup_path", "formatter", "http_proxy", "http_proxy_user", "http_proxy_pass", "https_proxy",
        "https_proxy_user", "https_proxy_pass", "no_proxy", "verbose_logging", "enable_reporting", "custom_config_path",
        "encrypted_data_bag_secret_key_path", "arguments", "chef_server_url", "validation_key_path", "validation_client_name",
        "client_key_path", "delete_node", "delete_client",
    ], &[]),
    ("chef_apply", &[
        "product", "channel", "version", "install", "omnibus_url", "installer_download_path", "log_level", "binary_path",
        "binary_env", "recipe", "upload_path",
    ], &[]),
    ("salt", &[
        "minion_config", "minion_json_config", "minion_key", "minion_pub", "minion_id", "master_config", "master_json_config",
        "master_key", "master_pub", "master_id", "grains_config", "masterless", "run_highstate", "run_overstate",
        "orchestrations", "run_service", "install_master", "install_syndic", "no_minion", "install_type", "install_args",
        "version", "python_version", "always_install", "bootstrap_script", "bootstrap_options", "temp_config_dir", "seed_master",
        "pillar", "verbose", "colorize", "log_level", "salt_call_args", "salt_args",
    ], &[]),
    ("cfengine", &[
        "am_policy_hub", "policy_server_address", "mode", "install", "package_name", "deb_repo_file", "deb_repo_line",
        "yum_repo_file", "yum_repo_url", "repo_gpg_key_url", "files_path", "run_file", "upload_path", "classes",
        "extra_agent_args", "force_bootstrap",
    ], &[]),
];

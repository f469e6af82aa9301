notify { 'hello from puppet': }
if $facts['out'] {
  file { $facts['out']: content => "${facts['packer_build_name']} ${facts['packer_builder_type']}\n" }
}

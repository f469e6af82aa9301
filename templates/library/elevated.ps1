# Runs a command as a scheduled task of another user, with all of that user's rights, and shows its output as it comes.
$ErrorActionPreference = 'Stop'
function Text($encoded) { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($encoded)) }
$name = '@NAME@'
$user = Text '@USER@'
$password = Text '@PASSWORD@'
$command = Text '@COMMAND@'
$log = "$env:SystemRoot\Temp\$name.out"

$service = New-Object -ComObject Schedule.Service
$service.Connect()
$task = $service.NewTask(0)
$task.RegistrationInfo.Description = 'kiste elevated task'
$task.Principal.RunLevel = 1
$task.Settings.DisallowStartIfOnBatteries = $false
$task.Settings.StopIfGoingOnBatteries = $false
$task.Settings.ExecutionTimeLimit = 'PT0S'
$task.Settings.Priority = 4
$action = $task.Actions.Create(0)
$action.Path = 'cmd'
$action.Arguments = "/c $command > $log 2>&1"

# 1: by password; 5: an account of the system, which has none.
$logon = 1
if ($password.Length -eq 0) { $logon = 5; $password = $null }
$folder = $service.GetFolder('\')
$registered = $folder.RegisterTaskDefinition($name, $task, 6, $user, $password, $logon, $null)
$result = 1
try {
    $registered.Run($null) | Out-Null
    # 4: running.
    for ($i = 0; ($registered.State -ne 4) -and ($i -lt 100); $i++) { Start-Sleep -Milliseconds 100 }
    $shown = 0
    do {
        Start-Sleep -Milliseconds 100
        # 3: ready, so it has ended; what it wrote last is read once more.
        $ended = $registered.State -eq 3
        if (Test-Path $log) {
            Get-Content $log | Select-Object -Skip $shown | ForEach-Object { $shown++; Write-Output "$_" }
        }
    } until ($ended)
    $result = $registered.LastTaskResult
} finally {
    $folder.DeleteTask($name, 0)
    Remove-Item $log -Force -ErrorAction SilentlyContinue
    Remove-Item $PSCommandPath -Force -ErrorAction SilentlyContinue
}
exit $result
